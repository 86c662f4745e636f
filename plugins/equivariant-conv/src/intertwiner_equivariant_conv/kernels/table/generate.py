"""Writes the C++ that runs the product on chunks of edges with weights from a table.

A chunk is some hundred edges, sorted by target, whose weights fit the cache: `expand` makes them,
the product's own kernels (`compiled.generate`) use them and give their gradients, and `collect`
reduces those. Within a chunk, edges are visited interval by interval, so that a row of the table
is read once for all its edges, and its gradient, summed over them, is written once:

    expand     w_e  = sum_q B_eq T_row(e),q
    collect    dB_eq = sum_c T_row(e),q,c s_ec,    dT_iq += sum_{e: row(e) = i} B_eq s_e

The edges are taken in two halves (`text.HALVES`), by a thread each or one after the other; more
threads than two share the edges of a chunk. Chunks and orders do not depend on the number of
threads, nor do the bits of any result.
"""

from __future__ import annotations

import re
from typing import Final

from intertwiner_equivariant_conv.kernels.compiled.generate import units
from intertwiner_equivariant_conv.kernels.compiled.text import HALVES, Scalar, prelude
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
        along="\n".join(f"        a[{q}] += se * get(row + {q} * PC + c);" for q in powers),
        loads=" ".join(f"vec d{q} = get(out + {q} * PC + c);" for q in powers),
        sums="\n".join(f"        d{q} += be[{q}] * se;" for q in powers),
        stores=" ".join(f"put(out + {q} * PC + c, d{q});" for q in powers),
    )
    begin = prelude(kind) + sizes + _pointers(table, kind) + HALVES + _HEAD
    return begin + expand + collect + _ENTRIES


def _pointers(table: PathTable, kind: Scalar) -> str:
    """Pointers to functions of the product's library, declared as they are there."""
    text = "".join(units(table, kind).values())
    declared = dict(_DECLARATION.findall(text))
    pointers = "".join(f"static void (*{name})({declared[name]});\n" for name in BOUND)
    takes = ", ".join(f"void* p_{name}" for name in BOUND)
    sets = " ".join(f"{name} = (void (*)({declared[name]}))p_{name};" for name in BOUND)
    return f'{pointers}extern "C" void bind({takes}) {{ {sets} }}\n'


_HEAD = """
// Edges, and what depends on them alone. cap: most edges of a chunk; first, last: nodes wanted.
struct Problem {
  const int64_t *row, *source, *target, *rowptr;
  int64_t nodes, sources, rows, C, cap, threads, first, last;
  Problem only(int64_t from, int64_t to, int64_t by) const {
    Problem p = *this;
    p.first = from, p.last = to, p.threads = by;
    return p;
  }
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
      by_row(p.rows, p.cap), by_source(p.threads > 1 ? p.sources : 0, p.cap) {
    edge = p.rowptr[p.first];
    next = p.first;
  }
  bool advance() {
    if (next == p.last) return false;
    edge += count;
    node = next;
    again = edge > p.rowptr[node];
    int64_t last = node;
    while (last < p.last && p.rowptr[last + 1] - edge <= p.cap && !(again && last > node)) last++;
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
  const int64_t PC = P * k.p.C, *ptr = k.by_row.ptr.get(), *order = k.by_row.order.get();
  if (!k.count) return;
  b += k.edge * Q;
#pragma omp parallel num_threads(k.p.threads) if (k.p.threads > 1)
  {{
  Share mine = share(ptr, k.by_row.number);
  for (int64_t r = mine.first; r < mine.last; r++)
    for (int64_t c = 0; ptr[r] < ptr[r + 1] && c < PC; c += 2 * V) {{
      const S* row = table + (k.by_row.first + r) * Q * PC + c;
{rows}
      if (c + V == PC) {{
        for (int64_t i = ptr[r]; i < ptr[r + 1]; i++) {{
          const S* be = b + order[i] * Q;
          S* we = w + order[i] * PC + c;
          vec sum = {sum};
          put(we, add ? get(we) + sum : sum);
        }}
        continue;
      }}
{more}
      for (int64_t i = ptr[r]; i < ptr[r + 1]; i++) {{
        const S* be = b + order[i] * Q;
        S* we = w + order[i] * PC + c;
        vec sum = {sum};
        vec next = {next};
        put(we, add ? get(we) + sum : sum);
        put(we + V, add ? get(we + V) + next : next);
      }}
    }}
  }}
}}
"""

_COLLECT = """
// db (added to what is there where `add`) from s and the table, dt from s and b.
static void collect(const Chunk& k, const S* s, const S* b, const S* table, S* db, bool add,
    S* dt) {{
  const int64_t PC = P * k.p.C, *ptr = k.by_row.ptr.get(), *order = k.by_row.order.get();
  if (!k.count) return;
  b += k.edge * Q;
  if (db) db += k.edge * Q;
#pragma omp parallel num_threads(k.p.threads) if (k.p.threads > 1)
  {{
  Share mine = share(ptr, k.by_row.number);
  for (int64_t r = mine.first; r < mine.last; r++) {{
    const S* row = table + (k.by_row.first + r) * Q * PC;
    for (int64_t i = ptr[r]; db && i < ptr[r + 1]; i++) {{
      int64_t e = order[i];
      vec a[Q];
      {zeros}
      for (int64_t c = 0; c < PC; c += V) {{
        vec se = get(s + e * PC + c);
{along}
      }}
      totals<Q>(a, db + e * Q, add);
    }}
    S* out = dt + (k.by_row.first + r) * Q * PC;
    for (int64_t c = 0; dt && ptr[r] < ptr[r + 1] && c < PC; c += V) {{
      {loads}
      for (int64_t i = ptr[r]; i < ptr[r + 1]; i++) {{
        const S* be = b + order[i] * Q;
        vec se = get(s + order[i] * PC + c);
{sums}
      }}
      {stores}
    }}
  }}
  }}
}}
"""

_ENTRIES = """
// Memory for a chunk, kept by the thread for the next call: fresh memory costs page faults.
static S* room(int number, int64_t size) {
  static thread_local std::unique_ptr<S[]> kept[4];
  static thread_local int64_t sizes[4] = {0, 0, 0, 0};
  if (sizes[number] < size) {
    kept[number].reset(new S[size + 64]);
    sizes[number] = size;
  }
  return (S*)(((uintptr_t)kept[number].get() + 63) / 64 * 64);
}
static void product(const Chunk& k, const S* x, const S* y, const S* w, S* out, bool add) {
  forward(x, y + k.edge * K2, w, k.p.source + k.edge, k.rowptr.get(), k.nodes, k.p.C,
      out + k.node * KO * k.p.C, add, k.p.threads);
}
// Adds to dx; sets dy and s, or adds to them where `add`. Any of the three may be null.
static void edges(Chunk& k, const S* x, const S* y, const S* w, const S* g, S* dx, S* dy, S* s,
    bool add) {
  if (!k.count || !(dx || dy || s)) return;
  y += k.edge * K2;
  if (dx && k.p.threads > 1) {
    const Groups& by = k.by_source;
    gradient_features(y, w, g, k.p.target + k.edge, by.order.get(), by.ptr.get(), by.number,
        k.p.C, dx + by.first * K * k.p.C, 1, k.count, k.p.threads);
    dx = nullptr;
    if (!dy && !s) return;
  }
  gradient_edges(x, y, w, g + k.node * KO * k.p.C, k.p.source + k.edge, k.rowptr.get(), k.nodes,
      k.p.C, dx, dy ? dy + k.edge * K2 : nullptr, s, add, k.p.threads);
}
// Sums of the second half of the edges; any may be null.
struct Spare { S *x, *t; };
// work(half of the problem, dx, dt), in turn or by two threads; then the sums of both are joined.
template <class F> static void in_halves(const Problem& p, S* dx, S* dt, Spare spare, F work) {
  const Second second = second_half(p.source, p.rowptr, p.nodes);
  const int64_t C = p.C, from = second.low * K * C, size = (second.high - second.low) * K * C;
  const int64_t cells = p.rows * Q * P * C, inner = p.threads > 2 ? p.threads : 1;
#pragma omp parallel for num_threads(2) schedule(static, 1) if (p.threads == 2)
  for (int64_t i = 0; i < 2; i++) {
    if (i && dx) clear(spare.x, size);
    if (i && second.first == p.nodes) continue;
    if (i && dt) clear(spare.t, cells);
    work(p.only(i ? second.first : 0, i ? p.nodes : second.first, inner),
        i && dx ? spare.x - from : dx, i && dt ? spare.t : dt);
  }
  if (dx) add_to(dx + from, spare.x, size, p.threads);
  if (dt && second.first < p.nodes) add_to(dt, spare.t, cells, p.threads);
}
extern "C" void table_forward(const S* x, const S* y, const S* b, const S* t, const int64_t* row,
    const int64_t* source, const int64_t* target, const int64_t* rowptr, int64_t nodes,
    int64_t sources, int64_t rows, int64_t C, int64_t cap, int64_t threads, S* out) {
  const Problem all{row, source, target, rowptr, nodes, sources, rows, C, cap, 1, 0, nodes};
#pragma omp parallel num_threads(threads) if (threads > 1)
  {
    Share mine = share(rowptr, nodes);
    const Problem p = all.only(mine.first, mine.last, 1);
    Chunk k(p);
    S* w = room(0, cap * P * C);
    while (k.advance()) {
      expand(k, b, t, w, false);
      product(k, x, y, w, out, k.again);
    }
  }
}
// dx and dt must be zero at the start; any of dx, dy, db, dt may be null. spare_x, spare_t: room
// for another dx and dt.
extern "C" void table_gradient(const S* x, const S* y, const S* b, const S* t, const int64_t* row,
    const int64_t* source, const int64_t* target, const int64_t* rowptr, int64_t nodes,
    int64_t sources, int64_t rows, int64_t C, int64_t cap, int64_t threads, S* spare_x, S* spare_t,
    const S* g, S* all_dx, S* dy, S* db, S* all_dt) {
  const Problem all{row, source, target, rowptr, nodes, sources, rows, C, cap, threads, 0, nodes};
  const Spare spare{spare_x, spare_t};
  in_halves(all, all_dx, all_dt, spare, [=](const Problem& p, S* dx, S* dt) {
    Chunk k(p);
    S *w = room(0, cap * P * C), *s = room(1, cap * P * C);
    while (k.advance()) {
      if (dx || dy) expand(k, b, t, w, false);
      bool weights = db || dt;
      edges(k, x, y, w, g, dx, dy, weights ? s : nullptr, false);
      if (weights) collect(k, s, b, t, db, false, dt);
    }
  });
}
// The derivative of <ax, dx> + <ay, dy> + <ab, db> + <at, dt>; any of the cotangents and of the
// results may be null. dx and dt must be zero at the start.
extern "C" void table_second(const S* x, const S* y, const S* b, const S* t, const int64_t* row,
    const int64_t* source, const int64_t* target, const int64_t* rowptr, int64_t nodes,
    int64_t sources, int64_t rows, int64_t C, int64_t cap, int64_t threads, S* spare_x, S* spare_t,
    const S* g, const S* ax, const S* ay, const S* ab, const S* at,
    S* all_dx, S* dy, S* db, S* all_dt, S* dg) {
  const Problem all{row, source, target, rowptr, nodes, sources, rows, C, cap, threads, 0, nodes};
  const Spare spare{spare_x, spare_t};
  in_halves(all, all_dx, all_dt, spare, [=](const Problem& p, S* dx, S* dt) {
    Chunk k(p);
    const int64_t size = cap * P * C;
    S *w = room(0, size), *s = room(1, size), *aw = room(2, size), *as = room(3, size);
    while (k.advance()) {
      bool more = k.again, moved = ab || at;
      expand(k, b, t, w, false);
      if (ab) expand(k, ab, t, aw, false);
      if (at) expand(k, b, at, aw, ab);
      if (dg && ax) product(k, ax, y, w, dg, more), more = true;
      if (dg && ay) product(k, x, ay, w, dg, more), more = true;
      if (dg && moved) product(k, x, y, aw, dg, more);
      bool weights = db || dt, crossed = (dt && ab) || (db && at);
      if (weights) clear(s, k.count * P * C);
      if (crossed) clear(as, k.count * P * C);
      if (dy) clear(dy + k.edge * K2, k.count * K2);
      if (ax) edges(k, ax, y, w, g, nullptr, dy, weights ? s : nullptr, true);
      if (ay) edges(k, x, ay, w, g, dx, nullptr, weights ? s : nullptr, true);
      if (moved) edges(k, x, y, aw, g, dx, dy, crossed ? as : nullptr, true);
      if (weights) collect(k, s, b, t, db, false, dt);
      if (db && at) collect(k, as, b, at, db, true, nullptr);
      if (dt && ab) collect(k, as, ab, t, nullptr, false, dt);
    }
  });
}
"""
