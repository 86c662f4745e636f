"""C++ of the features' gradient: edges sorted by source, or one by one in the order of targets.

Both add the same terms in the same order to every row, so that they give the same bits: the paths
of one l1 are never in different loops, and edges from `border` on have a sum of their own.
"""

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

__all__ = ["gradient_features", "scatter"]


def gradient_features(table: PathTable, kind: Scalar) -> str:
    """The function `gradient_features`: sets `dx`, or adds to it where `add`."""
    parts = groups(table, kind.registers // 2, whole=True)
    bodies = lines(_part(table, part, number) for number, part in enumerate(parts))
    calls = lines(
        f"          part{number}(g + c, m, w + c, order + start, target, count, left, d + c, C, "
        "fresh);"
        for number in range(len(parts))
    )
    return bodies + _ENTRY.replace("CALLS", calls)


def scatter(table: PathTable, kind: Scalar) -> tuple[str, str]:
    """(functions `scatter0`..., calls of them): adds a chunk of one node's edges to dx."""
    parts = groups(table, kind.registers // 2, whole=True)
    bodies = lines(_scatter_part(table, part, number) for number, part in enumerate(parts))
    calls = lines(
        f"          scatter{number}(gn + c, m, w + start * P * C + c, source + start, count, left, "
        "dx + c, C);"
        for number in range(len(parts))
    )
    return bodies, calls


def _part(table: PathTable, part: Part, number: int) -> str:
    rows, paths = rows_in(part), numbered(table, part)
    outs = [k for path in part for k in rows_out(path)]
    text = {
        "NUMBER": str(number),
        "BEGIN": lines(f"  vec a{i} = fresh ? zero() : get(d + {i} * C);" for i in rows),
        "FETCH": fetch("w + next * P * C", [p for p, _ in paths])
        + fetch("g + target[next] * KO * C", outs),
        "LOADS": lines(f"    vec g{k} = get(ge + {k} * C);" for k in outs),
        "SUMS": lines(_path_sums(table, p, path) for p, path in paths),
        "END": lines(f"  put(d + {i} * C, a{i});" for i in rows),
    }
    return _filled(_PART, text)


def _scatter_part(table: PathTable, part: Part, number: int) -> str:
    rows = rows_in(part)
    outs = [k for path in part for k in rows_out(path)]
    text = {
        "NUMBER": str(number),
        "BEGIN": lines(f"  vec g{k} = get(g + {k} * C);" for k in outs),
        "FETCH": fetch("dx + source[e + ahead] * K * C", rows, write=True),
        "LOADS": lines(f"    vec a{i} = get(d + {i} * C);" for i in rows),
        "SUMS": lines(_path_sums(table, p, path) for p, path in numbered(table, part)),
        "END": lines(f"    put(d + {i} * C, a{i});" for i in rows),
    }
    return _filled(_SCATTER, text)


def _filled(body: str, text: dict[str, str]) -> str:
    for name, value in text.items():
        body = body.replace(name, value)
    return body


def _path_sums(table: PathTable, number: int, path: Path) -> str:
    """a_i += W_p sum_k g_k M_ik of one path."""
    sums = [f"    {{ vec wp = get(we + {number} * C);"]
    for i in range(path.l1**2, (path.l1 + 1) ** 2):
        own = [pair for pair in pairs(table, path) if pair.row_in == i]
        if own:
            sums.append(f"      a{i} += wp * ({coupled(own, 'row_out', 'g')});")
    return lines(sums) + " }"


_PART = """
static void partNUMBER(const S* g, const S* m, const S* w, const int64_t* order,
    const int64_t* target, int count, int ahead, S* d, int64_t C, bool fresh) {
BEGIN
  for (int e = 0; e < count; e++) {
    const S* ge = g + target[order[e]] * KO * C;
    const S* we = w + order[e] * P * C;
    int64_t next = order[e + ahead];
FETCH
LOADS
SUMS
  }
END
}
"""

_SCATTER = """
static void scatterNUMBER(const S* g, const S* m, const S* w, const int64_t* source, int count,
    int ahead, S* dx, int64_t C) {
BEGIN
  for (int e = 0; e < count; e++) {
    S* d = dx + source[e] * K * C;
    const S* we = w + e * P * C;
FETCH
LOADS
SUMS
END
  }
}
"""

_ENTRY = """
static void some(const S* y, const S* w, const S* g, const int64_t* target, const int64_t* order,
    int64_t begin, int64_t end, int64_t all, int64_t C, S* d, bool add) {
  alignas(64) S yt[K2 * V], m[NM * V];
  for (int64_t start = begin; start < end; start += V) {
    int count = end - start < V ? end - start : V;
    int left = all - start > 2 * V ? V : 0;
    bool fresh = start == begin && !add;
    harmonics(y, order + start, 0, count, yt);
    matrix(yt, m);
    for (int64_t c = 0; c < C; c += V) {
CALLS
    }
  }
}
// border: the first edge of the second half, see `second_half`.
extern "C" void gradient_features(const S* y, const S* w, const S* g, const int64_t* target,
    const int64_t* order, const int64_t* rowptr, int64_t nodes, int64_t C, S* dx, int64_t add,
    int64_t border, int64_t threads) {
#pragma omp parallel num_threads(threads) if (threads > 1)
  {
    Share mine = share(rowptr, nodes);
    std::unique_ptr<S[]> second(new S[K * C]);
    for (int64_t n = mine.first; n < mine.last; n++) {
      S* d = dx + n * K * C;
      int64_t begin = rowptr[n], end = rowptr[n + 1], middle = begin;
      while (middle < end && order[middle] < border) middle++;
      if (begin == middle && !add)
        for (int64_t i = 0; i < K * C; i++) d[i] = 0;
      some(y, w, g, target, order, begin, middle, rowptr[nodes], C, d, add);
      some(y, w, g, target, order, middle, end, rowptr[nodes], C, second.get(), false);
      for (int64_t i = 0; middle < end && i < K * C; i++) d[i] += second[i];
    }
  }
}
"""
