"""C++ of the gradients of harmonics and weights, and of the features in the same pass.

Edges of one target add to rows of many sources, so several threads share channels instead of
edges: each does what one thread alone does, for its registers of channels. Only the gradient of
the harmonics sums over channels: over those of one register first, and then over registers in
their order, so that its bits do not depend on who did which.
"""

from __future__ import annotations

from intertwiner_equivariant_conv.kernels.compiled.gradient_features import scatter
from intertwiner_equivariant_conv.kernels.compiled.terms import Term, groups, terms
from intertwiner_equivariant_conv.kernels.compiled.text import (
    Part,
    Scalar,
    fetch,
    lines,
    literal,
    numbered,
    rows_in,
    signed_sum,
)
from intertwiner_equivariant_conv.layers.paths import Path, PathTable

__all__ = ["gradient_edges"]

Multiples = dict[tuple[int, float], int]
"""(output row, size of a constant) -> number of that multiple of g."""


def gradient_edges(table: PathTable, kind: Scalar) -> str:
    """The function `gradient_edges`: any of dx, dY, dW that is not null."""
    parts, multiples = groups(table, 4 * kind.registers), _multiples(table)
    scatters, scatter_calls = scatter(table, kind)
    bodies = (_part(table, parts, number, multiples) for number in range(len(parts)))
    text = {
        "PARTS": lines(bodies) + scatters,
        "MULTIPLES": lines(_multiple(*item) for item in multiples.items()),
        "COUNT": str(len(multiples)),
        "EDGE_CALLS": lines(
            f"            part{number}<DY, DW>(x + source[e] * K * C + c, "
            "x + source[e + ahead] * K * C + c, ye, w + e * P * D + c, gs + c * NG, C, D, u, "
            "dw + e * P * D + c, mode);"
            for number in range(len(parts))
        ),
        "SCATTER_CALLS": scatter_calls,
    }
    body = _ENTRY
    for name, value in text.items():
        body = body.replace(name, value)
    return body


def _size(term: Term) -> float:
    return round(abs(term.value), 15)


def _multiples(table: PathTable) -> Multiples:
    found: Multiples = {}
    for path in table.paths:
        for term in terms(path):
            found.setdefault((term.row_out, _size(term)), len(found))
    return found


def _multiple(key: tuple[int, float], number: int) -> str:
    row, size = key
    factor = "" if size == 1 else f" * {literal(size)}"
    return f"    put(gs + (c * NG + {number} * V), get(g + {row} * C + c){factor});"


def _part(table: PathTable, parts: tuple[Part, ...], number: int, multiples: Multiples) -> str:
    part, paths = parts[number], numbered(table, parts[number])
    used = sorted({row for path in part for row in _rows_edge(path)})
    before = {row for other in parts[:number] for path in other for row in _rows_edge(path)}
    idle = () if number else sorted(set(range(table.rows_edge)) - _rows_of(parts))
    sums = [f"u[{j}] = u{j};" for j in used] + [f"u[{j}] = zero();" for j in idle]
    text = {
        "NUMBER": str(number),
        "BEGIN": lines(
            f"  vec u{j} = {f'DY ? u[{j}] : zero()' if j in before else 'zero()'};" for j in used
        ),
        "FETCH": fetch("w + AHEAD * P * D", [p for p, _ in paths], step="D")
        + fetch("later", rows_in(part)),
        "LOADS": lines(f"    vec x{i} = get(x + {i} * C);" for i in rows_in(part)),
        "SUMS": lines(_path_sums(p, path, multiples) for p, path in paths),
        "END": lines(f"  if (DY) {total}" for total in sums),
    }
    body = _PART
    for name, value in text.items():
        body = body.replace(name, value)
    return body


def _rows_of(parts: tuple[Part, ...]) -> set[int]:
    return {row for part in parts for path in part for row in _rows_edge(path)}


def _rows_edge(path: Path) -> range:
    return range(path.l2**2, (path.l2 + 1) ** 2)


def _path_sums(number: int, path: Path, multiples: Multiples) -> str:
    """z_j = sum_ik x_i (Q_ijk g_k), dW_p = sum_j Y_j z_j, dY_j += W_p z_j."""
    rows = _rows_edge(path)
    weighed = " + ".join(f"y[{j}] * z{j}" for j in rows)
    return lines(
        [
            "    {",
            *(f"      vec z{j} = {_products(path, j, multiples)};" for j in rows),
            f"      if (DW) {{ vec s = {weighed}; save(dw + {number} * D, s, mode); }}",
            f"      if (DY) {{ vec wp = get(w + {number} * D);",
            *(f"        u{j} += wp * z{j};" for j in rows),
            "      }",
            "    }",
        ]
    )


def _products(path: Path, row: int, multiples: Multiples) -> str:
    return signed_sum(
        [
            (
                1 if term.value > 0 else -1,
                f"x{term.row_in} * get(gc + {multiples[term.row_out, _size(term)]} * V)",
            )
            for term in terms(path)
            if term.row_edge == row
        ]
    )


_PART = """
template <bool DY, bool DW>
static inline void partNUMBER(const S* x, const S* later, const S* y, const S* w, const S* gc,
    int64_t C, int64_t D, vec* u, S* dw, int64_t mode) {
BEGIN
FETCH
LOADS
SUMS
END
}
"""

_ENTRY = """
enum { NG = COUNT, AHEAD = 3 };
PARTS
// Edges by target, of `number` channels; C and D: channels from one row of nodes, or of weights, to
// the next. stride: from the dy of one register of channels to the next; 0 where they add up.
struct Edges {
  const S *x, *y, *w, *g;
  const int64_t *source, *rowptr;
  int64_t nodes, C, D, number, stride, mode, threads;
  S *dx, *dy, *dw;
  bool add;
};
static void scale(const S* g, S* gs, int64_t C, int64_t number) {
  for (int64_t c = 0; c < number; c += V) {
MULTIPLES
  }
}
template <bool DY, bool DW>
static void edges(Edges p) {
  const S *x = p.x, *y = p.y, *w = p.w;
  const int64_t *source = p.source, *rowptr = p.rowptr;
  const int64_t nodes = p.nodes, C = p.C, D = p.D, number = p.number, mode = p.mode;
  S *dx = p.dx, *dw = p.dw;
#pragma omp parallel num_threads(p.threads) if (p.threads > 1)
  {
    Share mine = share(rowptr, nodes);
    std::unique_ptr<S[]> store(new S[NG * number + V]);
    S* gs = (S*)(((uintptr_t)store.get() + 63) / 64 * 64);
    alignas(64) S yt[K2 * V], m[NM * V];
    for (int64_t n = mine.first; n < mine.last; n++) {
      const S* gn = p.g + n * KO * C;
      if ((DY || DW) && rowptr[n] < rowptr[n + 1]) scale(gn, gs, C, number);
      for (int64_t start = rowptr[n]; start < rowptr[n + 1]; start += V) {
        int count = rowptr[n + 1] - start < V ? rowptr[n + 1] - start : V;
        int left = rowptr[nodes] - start > 2 * V ? V : 0;
        if (DY || DW) for (int64_t e = start; e < start + count; e++) {
          int64_t ahead = e + AHEAD < rowptr[nodes] ? AHEAD : 0;
          const S* ye = y + e * K2;
          for (int64_t c = 0; c < number; c += V) {
            vec u[K2];
EDGE_CALLS
            if (DY) totals<K2>(u, p.dy + c / V * p.stride + e * K2, p.add || (c && !p.stride));
          }
        }
        if (!dx) continue;
        harmonics(y, nullptr, start, count, yt);
        matrix(yt, m);
        for (int64_t c = 0; c < number; c += V) {
SCATTER_CALLS
        }
      }
    }
    if (mode == STREAM) fence();
  }
}
static void run(const Edges& p) {
  (p.dy && p.dw ? edges<true, true> : p.dy ? edges<true, false>
      : p.dw ? edges<false, true> : edges<false, false>)(p);
}
// dx (already set; one thread only) is added to edge by edge, in their order.
// mode: how dy and dw are written, see `save`.
extern "C" void gradient_edges(const S* x, const S* y, const S* w, const S* g,
    const int64_t* source, const int64_t* rowptr, int64_t nodes, int64_t C, int64_t D,
    int64_t number, S* dx, S* dy, int64_t stride, S* dw, int64_t mode, int64_t threads) {
  run({x, y, w, g, source, rowptr, nodes, C, D, number, stride, mode, threads, dx, dy, dw,
      mode == ADD});
}
// The same with dx and several threads, each for its channels.
// parts: room for one dy for every register of channels; null without dy.
extern "C" void gradient_channels(const S* x, const S* y, const S* w, const S* g,
    const int64_t* source, const int64_t* rowptr, int64_t nodes, int64_t C, S* dx, S* dy, S* parts,
    S* dw, int64_t mode, int64_t threads) {
  const int64_t size = rowptr[nodes] * K2;
#pragma omp parallel num_threads(threads)
  {
    Channels mine = channels(C);
    int64_t c = mine.first;
    if (mine.number) run({x + c, y, w + c, g + c, source, rowptr, nodes, C, C, mine.number, size,
        mode, 1, dx + c, dy ? parts + c / V * size : nullptr, dw ? dw + c : nullptr, false});
  }
  if (dy) merge(parts, size, C / V, size, dy, mode == ADD, threads);
}
"""
