"""C++ of the forward pass: edges sorted by target, sums of a part of the paths in registers."""

from __future__ import annotations

from intertwiner_equivariant_conv.kernels.compiled.terms import groups, pairs
from intertwiner_equivariant_conv.kernels.compiled.text import (
    Part,
    Scalar,
    coupled,
    fetch,
    lines,
    numbered,
    rows_in,
    rows_out,
)
from intertwiner_equivariant_conv.layers.paths import Path, PathTable

__all__ = ["forward"]


def forward(table: PathTable, kind: Scalar) -> str:
    """The function `forward`: sets `out`, or adds to it where `add`."""
    parts = groups(table, kind.registers // 2)
    bodies = lines(_part(table, part, number) for number, part in enumerate(parts))
    calls = lines(
        f"          part{number}(x + c, m, w + start * P * C + c, source + start, count, left, "
        "o + c, C, fresh);"
        for number in range(len(parts))
    )
    return bodies + _ENTRY.replace("CALLS", calls)


def _part(table: PathTable, part: Part, number: int) -> str:
    rows = [row for path in part for row in rows_out(path)]
    paths = numbered(table, part)
    text = {
        "NUMBER": str(number),
        "BEGIN": lines(f"  vec a{k} = fresh ? zero() : get(o + {k} * C);" for k in rows),
        "FETCH": fetch("we + V * P * C", [p for p, _ in paths])
        + fetch("x + source[e + ahead] * K * C", rows_in(part)),
        "LOADS": lines(f"    vec x{i} = get(xe + {i} * C);" for i in rows_in(part)),
        "SUMS": lines(_path_sums(table, p, path) for p, path in paths),
        "END": lines(f"  put(o + {k} * C, a{k});" for k in rows),
    }
    body = _PART
    for name, value in text.items():
        body = body.replace(name, value)
    return body


def _path_sums(table: PathTable, number: int, path: Path) -> str:
    sums = [f"    {{ vec wp = get(we + {number} * C);"]
    for k in rows_out(path):
        own = [pair for pair in pairs(table, path) if pair.row_out == k]
        sums.append(f"      a{k} += wp * ({coupled(own, 'row_in', 'x')});")
    return lines(sums) + " }"


_PART = """
static void partNUMBER(const S* x, const S* m, const S* w, const int64_t* source, int count,
    int ahead, S* o, int64_t C, bool fresh) {
BEGIN
  for (int e = 0; e < count; e++) {
    const S* xe = x + source[e] * K * C;
    const S* we = w + e * P * C;
FETCH
LOADS
SUMS
  }
END
}
"""

_ENTRY = """
extern "C" void forward(const S* x, const S* y, const S* w, const int64_t* source,
    const int64_t* rowptr, int64_t nodes, int64_t C, S* out, int64_t add, int64_t threads) {
#pragma omp parallel num_threads(threads) if (threads > 1)
  {
    Share mine = share(rowptr, nodes);
    alignas(64) S yt[K2 * V], m[NM * V];
    for (int64_t n = mine.first; n < mine.last; n++) {
      S* o = out + n * KO * C;
      if (rowptr[n] == rowptr[n + 1] && !add)
        for (int64_t i = 0; i < KO * C; i++) o[i] = 0;
      for (int64_t start = rowptr[n]; start < rowptr[n + 1]; start += V) {
        int count = rowptr[n + 1] - start < V ? rowptr[n + 1] - start : V;
        int left = rowptr[nodes] - start > 2 * V ? V : 0;
        bool fresh = start == rowptr[n] && !add;
        harmonics(y, nullptr, start, count, yt);
        matrix(yt, m);
        for (int64_t c = 0; c < C; c += V) {
CALLS
        }
      }
    }
  }
}
"""
