"""C++ of the gradients of harmonics and weights, and by up to two threads of features as well."""

from __future__ import annotations

from intertwiner_equivariant_conv.kernels.compiled.gradient_features import scatter
from intertwiner_equivariant_conv.kernels.compiled.terms import Term, groups, terms
from intertwiner_equivariant_conv.kernels.compiled.text import (
    HALVES,
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
    text = {
        "HALVES": HALVES,
        "PARTS": lines(_part(table, part, n, multiples) for n, part in enumerate(parts)) + scatters,
        "MULTIPLES": lines(_multiple(*item) for item in multiples.items()),
        "COUNT": str(len(multiples)),
        "EDGE_CALLS": lines(
            f"          part{number}<DY, DW>(x + source[e] * K * C, x + source[e + ahead] * K * C, "
            "ye, w + e * P * C, gs, C, u, dw + e * P * C, mode);"
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


def _part(table: PathTable, part: Part, number: int, multiples: Multiples) -> str:
    paths = numbered(table, part)
    used = sorted({row for path in part for row in _rows_edge(path)})
    text = {
        "NUMBER": str(number),
        "BEGIN": lines(f"  vec u{j} = u[{j}];" for j in used),
        "FETCH": fetch("w + c + AHEAD * P * C", [p for p, _ in paths])
        + fetch("later + c", rows_in(part)),
        "LOADS": lines(f"    vec x{i} = get(x + {i} * C + c);" for i in rows_in(part)),
        "SUMS": lines(_path_sums(p, path, multiples) for p, path in paths),
        "END": lines(f"  u[{j}] = u{j};" for j in used),
    }
    body = _PART
    for name, value in text.items():
        body = body.replace(name, value)
    return body


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
            f"      if (DW) {{ vec s = {weighed}; save(dw + {number} * C + c, s, mode); }}",
            f"      if (DY) {{ vec wp = get(w + {number} * C + c);",
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
static void partNUMBER(const S* x, const S* later, const S* y, const S* w, const S* gs, int64_t C,
    vec* u, S* dw, int64_t mode) {
BEGIN
  for (int64_t c = 0; c < C; c += V) {
    const S* gc = gs + c * NG;
FETCH
LOADS
SUMS
  }
END
}
"""

_ENTRY = """
enum { NG = COUNT, AHEAD = 3 };
HALVES
PARTS
static void scale(const S* g, S* gs, int64_t C) {
  for (int64_t c = 0; c < C; c += V) {
MULTIPLES
  }
}
template <bool DY, bool DW>
static void edges(const S* x, const S* y, const S* w, const S* g, const int64_t* source,
    const int64_t* rowptr, int64_t nodes, int64_t C, S* dx, S* dy, S* dw, int64_t mode,
    int64_t threads) {
#pragma omp parallel num_threads(threads) if (threads > 1)
  {
    Share mine = share(rowptr, nodes);
    std::unique_ptr<S[]> store(new S[NG * C + 64]);
    S* gs = (S*)(((uintptr_t)store.get() + 63) / 64 * 64);
    alignas(64) S yt[K2 * V], m[NM * V];
    for (int64_t n = mine.first; n < mine.last; n++) {
      const S* gn = g + n * KO * C;
      if ((DY || DW) && rowptr[n] < rowptr[n + 1]) scale(gn, gs, C);
      for (int64_t start = rowptr[n]; start < rowptr[n + 1]; start += V) {
        int count = rowptr[n + 1] - start < V ? rowptr[n + 1] - start : V;
        int left = rowptr[nodes] - start > 2 * V ? V : 0;
        if (DY || DW) for (int64_t e = start; e < start + count; e++) {
          int64_t ahead = e + AHEAD < rowptr[nodes] ? AHEAD : 0;
          const S* ye = y + e * K2;
          vec u[K2] = {};
EDGE_CALLS
          if (DY) totals<K2>(u, dy + e * K2, mode == ADD);
        }
        if (!dx) continue;
        harmonics(y, nullptr, start, count, yt);
        matrix(yt, m);
        for (int64_t c = 0; c < C; c += V) {
SCATTER_CALLS
        }
      }
    }
    if (mode == STREAM) fence();
  }
}
// dx (already set; one thread only) is added to edge by edge, in their order.
// mode: how dy and dw are written, see `save`.
extern "C" void gradient_edges(const S* x, const S* y, const S* w, const S* g,
    const int64_t* source, const int64_t* rowptr, int64_t nodes, int64_t C, S* dx, S* dy, S* dw,
    int64_t mode, int64_t threads) {
  auto run = dy && dw ? edges<true, true> : dy ? edges<true, false>
           : dw ? edges<false, true> : edges<false, false>;
  run(x, y, w, g, source, rowptr, nodes, C, dx, dy, dw, mode, threads);
}
// The same by one or two threads. spare: room for another dx.
extern "C" void gradient_halves(const S* x, const S* y, const S* w, const S* g,
    const int64_t* source, const int64_t* rowptr, int64_t nodes, int64_t C, S* dx, S* spare, S* dy,
    S* dw, int64_t mode, int64_t threads) {
  const Second second = second_half(source, rowptr, nodes);
  const int64_t size = (second.high - second.low) * K * C;
#pragma omp parallel for num_threads(2) schedule(static, 1) if (threads > 1)
  for (int64_t i = 0; i < 2; i++) {
    int64_t first = i ? second.first : 0, last = i ? nodes : second.first;
    if (i) clear(spare, size);
    if (first < last)
      gradient_edges(x, y, w, g + first * KO * C, source, rowptr + first, last - first, C,
          i ? spare - second.low * K * C : dx, dy, dw, mode, 1);
  }
  add_to(dx + second.low * K * C, spare, size, threads);
}
extern "C" void border(const int64_t* rowptr, int64_t nodes, int64_t* edge) {
  *edge = second_half(nullptr, rowptr, nodes).edge;
}
"""
