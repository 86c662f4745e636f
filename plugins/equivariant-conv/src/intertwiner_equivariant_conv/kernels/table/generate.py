"""Writes the C++ that runs the product on chunks of edges with weights from a table.

A chunk is some hundred edges, sorted by target, whose weights fit the cache: `expand` makes them,
the product's own kernels (`compiled.generate`) use them and give their gradients, and `collect`
reduces those. Within a chunk, edges are visited interval by interval, so that a row of the table
is read once for all its edges, and its gradient, summed over them, is written once:

    expand     w_e  = sum_q B_eq T_row(e),q
    collect    dB_eq = sum_c T_row(e),q,c s_ec,    dT_iq += sum_{e: row(e) = i} B_eq s_e

Threads share channels: each does for its own what one thread alone does for all, with weights of
its own. What is summed over channels, dY and dB, is summed over those of one register first, and
then over registers in their order. (More threads than twice the registers share the edges of a
chunk instead.) Chunks and orders do not depend on the number of threads, nor do the bits of any
result.
"""

from __future__ import annotations

import re
from typing import Final

from intertwiner_equivariant_conv.kernels.compiled.generate import units
from intertwiner_equivariant_conv.kernels.compiled.text import Scalar, prelude
from intertwiner_equivariant_conv.layers.paths import PathTable

__all__ = ["BOUND", "unit"]

BOUND: Final = ("forward", "gradient_features", "gradient_edges")
"""Functions of the product that the unit calls: they are compiled once, for both."""

_DECLARATION: Final = re.compile(r'extern "C" void (\w+)\(([^)]*)\)')


def unit(table: PathTable, kind: Scalar, degree: int) -> str:
    """The source; `bind` must be called first, with the addresses of the functions in `BOUND`."""
    sizes = (
        f"enum {{ K = {table.rows_in}, K2 = {table.rows_edge}, P = {len(table)}, "
        f"KO = {table.rows_out}, Q = {degree + 1} }};\n"
    )
    powers = range(degree + 1)
    expand = _EXPAND.format(
        rows="\n".join(f"      vec t{q} = get(row + {q} * PC);" for q in powers),
        more="\n".join(f"      vec r{q} = get(row + V + {q} * PC);" for q in powers),
        sum=" + ".join(f"be[{q}] * t{q}" for q in powers),
        next=" + ".join(f"be[{q}] * r{q}" for q in powers),
    )
    collect = _COLLECT.format(
        zeros=" ".join(f"a[{q}] = zero();" for q in powers),
        along="\n".join(f"          a[{q}] += se * get(row + {q} * PC);" for q in powers),
        loads=" ".join(f"vec d{q} = get(out + {q} * PC);" for q in powers),
        sums="\n".join(f"        d{q} += be[{q}] * se;" for q in powers),
        stores=" ".join(f"put(out + {q} * PC, d{q});" for q in powers),
    )
    return (
        prelude(kind) + sizes + _pointers(table, kind) + _HEAD + _SUMS + expand + collect + _ENTRIES
    )


def _pointers(table: PathTable, kind: Scalar) -> str:
    """Pointers to functions of the product's library, declared as they are there."""
    text = "".join(units(table, kind).values())
    declared = dict(_DECLARATION.findall(text))
    pointers = "".join(f"static void (*{name})({declared[name]});\n" for name in BOUND)
    takes = ", ".join(f"void* p_{name}" for name in BOUND)
    sets = " ".join(f"{name} = (void (*)({declared[name]}))p_{name};" for name in BOUND)
    return f'{pointers}extern "C" void bind({takes}) {{ {sets} }}\n'


_HEAD = """
// Edges, and what depends on them alone. cap: most edges of a chunk.
// `number` channels of C are wanted: those that pointers to rows of nodes and the table point to.
struct Problem {
  const int64_t *row, *source, *target, *rowptr;
  int64_t nodes, sources, rows, C, cap, threads, number;
  int64_t edges() const { return rowptr[nodes]; }
  int64_t blocks() const { return number / V; }
};

// Edges sorted by a key, in order where keys are equal: those of key `first + k` are
// order[ptr[k]] to order[ptr[k + 1]], for k < number.
struct Groups {
  std::unique_ptr<int64_t[]> ptr, order;
  int64_t first = 0, number = 0;
  Groups(int64_t keys, int64_t edges) : ptr(new int64_t[keys + 2]), order(new int64_t[edges]) {}
  void sort(const int64_t* key, int64_t count) {
    int64_t low = key[0], high = key[0];
    for (int64_t e = 1; e < count; e++) {
      low = key[e] < low ? key[e] : low;
      high = key[e] > high ? key[e] : high;
    }
    first = low;
    number = high - low + 1;
    for (int64_t k = 0; k <= number; k++) ptr[k] = 0;
    for (int64_t e = 0; e < count; e++) ptr[key[e] - first + 1]++;
    for (int64_t k = 0; k < number; k++) ptr[k + 1] += ptr[k];
    for (int64_t e = 0; e < count; e++) order[ptr[key[e] - first]++] = e;
    for (int64_t k = number; k > 0; k--) ptr[k] = ptr[k - 1];
    ptr[0] = 0;
  }
};

// Whole nodes with up to `cap` edges, or a piece of one node that has more (again: not its first).
struct Chunk {
  const Problem& p;
  int64_t edge = 0, count = 0, node = 0, nodes = 0, next = 0;
  bool again = false;
  std::unique_ptr<int64_t[]> rowptr;
  Groups by_row, by_source;
  Chunk(const Problem& p) : p(p), rowptr(new int64_t[p.nodes + 1]),
      by_row(p.rows, p.cap), by_source(p.sources, p.cap) {}
  bool advance() {
    if (next == p.nodes) return false;
    edge += count;
    node = next;
    again = edge > p.rowptr[node];
    int64_t last = node;
    while (last < p.nodes && p.rowptr[last + 1] - edge <= p.cap && !(again && last > node)) last++;
    bool whole = last > node;
    nodes = whole ? last - node : 1;
    count = whole ? p.rowptr[last] - edge : p.cap;
    next = whole ? last : node;
    for (int64_t n = 0; n <= nodes; n++) {
      int64_t begin = p.rowptr[node + n] - edge;
      rowptr[n] = begin < 0 ? 0 : begin < count ? begin : count;
    }
    if (count) by_row.sort(p.row + edge, count);
    if (count && p.threads > 1) by_source.sort(p.source + edge, count);
    return true;
  }
};
"""

_EXPAND = """
static void expand(const Chunk& k, const S* b, const S* table, S* w, bool add) {{
  const int64_t PC = P * k.p.C, PW = P * k.p.number, number = k.p.number;
  const int64_t *ptr = k.by_row.ptr.get(), *order = k.by_row.order.get();
  if (!k.count) return;
  b += k.edge * Q;
#pragma omp parallel num_threads(k.p.threads) if (k.p.threads > 1)
  {{
  Share mine = share(ptr, k.by_row.number);
  for (int64_t r = mine.first; r < mine.last; r++)
    for (int64_t c = 0; ptr[r] < ptr[r + 1] && c < PW;) {{
      const S* row = table + (k.by_row.first + r) * Q * PC + c / number * k.p.C + c % number;
      const int64_t step = c % number + 2 * V <= number ? 2 * V : V;
{rows}
      if (step == V) {{
        for (int64_t i = ptr[r]; i < ptr[r + 1]; i++) {{
          const S* be = b + order[i] * Q;
          S* we = w + order[i] * PW + c;
          vec sum = {sum};
          put(we, add ? get(we) + sum : sum);
        }}
      }} else {{
{more}
        for (int64_t i = ptr[r]; i < ptr[r + 1]; i++) {{
          const S* be = b + order[i] * Q;
          S* we = w + order[i] * PW + c;
          vec sum = {sum};
          vec next = {next};
          put(we, add ? get(we) + sum : sum);
          put(we + V, add ? get(we + V) + next : next);
        }}
      }}
      c += step;
    }}
  }}
}}
"""

_COLLECT = """
// db, one for every register of channels (added to what is there where `add`), from s and the
// table; dt from s and b.
static void collect(const Chunk& k, const S* s, const S* b, const S* table, Sums db, bool add,
    S* dt) {{
  const int64_t C = k.p.C, PC = P * C, D = k.p.number, PW = P * D;
  const int64_t *ptr = k.by_row.ptr.get(), *order = k.by_row.order.get();
  if (!k.count) return;
  b += k.edge * Q;
#pragma omp parallel num_threads(k.p.threads) if (k.p.threads > 1)
  {{
  Share mine = share(ptr, k.by_row.number);
  for (int64_t r = mine.first; r < mine.last; r++) {{
    for (int64_t c = 0; db.parts && c < D; c += V)
      for (int64_t i = ptr[r]; i < ptr[r + 1]; i++) {{
        vec a[Q];
        {zeros}
        for (int64_t p = 0; p < P; p++) {{
          const S* row = table + (k.by_row.first + r) * Q * PC + p * C + c;
          vec se = get(s + order[i] * PW + p * D + c);
{along}
        }}
        totals<Q>(a, db.of(k) + c / V * db.stride + order[i] * Q, add);
      }}
    for (int64_t c = 0; dt && ptr[r] < ptr[r + 1] && c < PW; c += V) {{
      S* out = dt + (k.by_row.first + r) * Q * PC + c / D * C + c % D;
      {loads}
      for (int64_t i = ptr[r]; i < ptr[r + 1]; i++) {{
        const S* be = b + order[i] * Q;
        vec se = get(s + order[i] * PW + c);
{sums}
      }}
      {stores}
    }}
  }}
  }}
}}
"""

_SUMS = """
// What is summed over channels: for every register of them its own part, `stride` apart, of the
// edges of a chunk (which `finish` adds up) or, where threads share channels, of all.
struct Sums {
  S *parts, *out;
  int64_t width, stride;
  bool whole;
  S* of(const Chunk& k) const { return parts + (whole ? k.edge * width : 0); }
  void clear(const Chunk& k) const {
    for (int64_t c = 0; parts && c < k.p.blocks(); c++)
      for (int64_t i = 0; i < k.count * width; i++) of(k)[c * stride + i] = 0;
  }
  void finish(const Chunk& k) const {
    if (parts && !whole)
      merge(parts, stride, k.p.blocks(), k.count * width, out + k.edge * width, false, k.p.threads);
  }
};
// Memory for a chunk, kept by the thread for the next call: fresh memory costs page faults.
static S* room(int number, int64_t size) {
  static thread_local std::unique_ptr<S[]> kept[6];
  static thread_local int64_t sizes[6] = {};
  if (sizes[number] < size) {
    kept[number].reset(new S[size + V]);
    sizes[number] = size;
  }
  return (S*)(((uintptr_t)kept[number].get() + 63) / 64 * 64);
}
// parts: for all edges and channels, from channel `first` on; null where one thread has them all.
static Sums sums(const Problem& p, S* out, S* parts, int64_t width, int64_t first, int number) {
  int64_t edges = parts ? p.edges() : p.cap, stride = edges * width;
  S* own = !out ? nullptr : parts ? parts + first / V * stride
                                  : room(number, p.blocks() * stride);
  return {own, out, width, stride, parts != nullptr};
}
"""

_ENTRIES = """
static void clear(S* values, int64_t size) {
  for (int64_t i = 0; i < size; i++) values[i] = 0;
}
static void product(const Chunk& k, const S* x, const S* y, const S* w, S* out, bool add) {
  forward(x, y + k.edge * K2, w, k.p.source + k.edge, k.rowptr.get(), k.nodes, k.p.C, k.p.number,
      k.p.number, out + k.node * KO * k.p.C, add, k.p.threads);
}
// Adds to dx; sets dy and s, or adds to them where `add`. Any of the three may be null.
static void edges(Chunk& k, const S* x, const S* y, const S* w, const S* g, S* dx, Sums dy, S* s,
    bool add) {
  if (!k.count || !(dx || dy.parts || s)) return;
  const int64_t C = k.p.C, D = k.p.number;
  y += k.edge * K2;
  if (dx && k.p.threads > 1) {
    const Groups& by = k.by_source;
    gradient_features(y, w, g, k.p.target + k.edge, by.order.get(), by.ptr.get(), by.number,
        C, D, D, dx + by.first * K * C, 1, k.p.threads);
    dx = nullptr;
    if (!dy.parts && !s) return;
  }
  gradient_edges(x, y, w, g + k.node * KO * C, k.p.source + k.edge, k.rowptr.get(), k.nodes,
      C, D, D, dx, dy.parts ? dy.of(k) : nullptr, dy.stride, s, add, k.p.threads);
}
// Whether threads share channels, and not the edges of a chunk.
static bool shared(const Problem& p) {
  return p.threads > 1 && p.blocks() > 1 && p.threads <= 2 * p.blocks();
}
// work(problem, first channel), by every thread for its channels or once for all.
template <class F> static void each(const Problem& p, F work) {
  if (!shared(p)) return work(p, 0);
#pragma omp parallel num_threads(p.threads)
  {
    Channels mine = channels(p.C);
    Problem own = p;
    own.threads = 1;
    own.number = mine.number;
    if (own.number) work(own, mine.first);
  }
}
static const S* at(const S* values, int64_t channel) { return values ? values + channel : nullptr; }
static S* at(S* values, int64_t channel) { return values ? values + channel : nullptr; }
extern "C" void table_forward(const S* x, const S* y, const S* b, const S* t, const int64_t* row,
    const int64_t* source, const int64_t* target, const int64_t* rowptr, int64_t nodes,
    int64_t sources, int64_t rows, int64_t C, int64_t cap, int64_t threads, S* out) {
  Problem all{row, source, target, rowptr, nodes, sources, rows, C, cap, threads, C};
  each(all, [=](const Problem& p, int64_t c) {
    Chunk k(p);
    S* w = room(0, cap * P * p.number);
    while (k.advance()) {
      expand(k, b, t + c, w, false);
      product(k, x + c, y, w, out + c, k.again);
    }
  });
}
// dx and dt must be zero at the start; any of dx, dy, db, dt may be null. y_parts, b_parts: room
// for dy and db, once for every register of channels; null where threads do not share them.
extern "C" void table_gradient(const S* x, const S* y, const S* b, const S* t, const int64_t* row,
    const int64_t* source, const int64_t* target, const int64_t* rowptr, int64_t nodes,
    int64_t sources, int64_t rows, int64_t C, int64_t cap, int64_t threads, const S* g,
    S* dx, S* dy, S* db, S* dt, S* y_parts, S* b_parts) {
  Problem all{row, source, target, rowptr, nodes, sources, rows, C, cap, threads, C};
  each(all, [=](const Problem& p, int64_t c) {
    Chunk k(p);
    const int64_t size = cap * P * p.number;
    S *w = room(0, size), *s = room(1, size);
    Sums to_y = sums(p, dy, y_parts, K2, c, 4), to_b = sums(p, db, b_parts, Q, c, 5);
    while (k.advance()) {
      if (dx || dy) expand(k, b, t + c, w, false);
      bool weights = db || dt;
      edges(k, x + c, y, w, g + c, at(dx, c), to_y, weights ? s : nullptr, false);
      if (weights) collect(k, s, b, t + c, to_b, false, at(dt, c));
      to_y.finish(k), to_b.finish(k);
    }
  });
  if (y_parts) merge(y_parts, all.edges() * K2, C / V, all.edges() * K2, dy, false, threads);
  if (b_parts) merge(b_parts, all.edges() * Q, C / V, all.edges() * Q, db, false, threads);
}
// The derivative of <ax, dx> + <ay, dy> + <ab, db> + <at, dt>; any of the cotangents and of the
// results may be null. dx and dt must be zero at the start.
extern "C" void table_second(const S* x, const S* y, const S* b, const S* t, const int64_t* row,
    const int64_t* source, const int64_t* target, const int64_t* rowptr, int64_t nodes,
    int64_t sources, int64_t rows, int64_t C, int64_t cap, int64_t threads, const S* g,
    const S* ax, const S* ay, const S* ab, const S* move_t,
    S* dx, S* dy, S* db, S* dt, S* dg, S* y_parts, S* b_parts) {
  Problem all{row, source, target, rowptr, nodes, sources, rows, C, cap, threads, C};
  each(all, [=](const Problem& p, int64_t c) {
    Chunk k(p);
    const int64_t size = cap * P * p.number;
    S *w = room(0, size), *s = room(1, size), *aw = room(2, size), *as = room(3, size);
    Sums to_y = sums(p, dy, y_parts, K2, c, 4), to_b = sums(p, db, b_parts, Q, c, 5), none{};
    S *to_x = at(dx, c), *to_t = at(dt, c), *to_g = at(dg, c);
    while (k.advance()) {
      bool more = k.again, moved = ab || move_t;
      expand(k, b, t + c, w, false);
      if (ab) expand(k, ab, t + c, aw, false);
      if (move_t) expand(k, b, move_t + c, aw, ab);
      if (dg && ax) product(k, ax + c, y, w, to_g, more), more = true;
      if (dg && ay) product(k, x + c, ay, w, to_g, more), more = true;
      if (dg && moved) product(k, x + c, y, aw, to_g, more);
      bool weights = db || dt, crossed = (dt && ab) || (db && move_t);
      if (weights) clear(s, k.count * P * p.number);
      if (crossed) clear(as, k.count * P * p.number);
      to_y.clear(k);
      if (ax) edges(k, ax + c, y, w, g + c, nullptr, to_y, weights ? s : nullptr, true);
      if (ay) edges(k, x + c, ay, w, g + c, to_x, none, weights ? s : nullptr, true);
      if (moved) edges(k, x + c, y, aw, g + c, to_x, to_y, crossed ? as : nullptr, true);
      if (weights) collect(k, s, b, t + c, to_b, false, to_t);
      if (db && move_t) collect(k, as, b, move_t + c, to_b, true, nullptr);
      if (dt && ab) collect(k, as, ab, t + c, none, false, to_t);
      to_y.finish(k), to_b.finish(k);
    }
  });
  if (y_parts) merge(y_parts, all.edges() * K2, C / V, all.edges() * K2, dy, false, threads);
  if (b_parts) merge(b_parts, all.edges() * Q, C / V, all.edges() * Q, db, false, threads);
}
"""
