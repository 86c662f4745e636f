"""C++ that every generated unit begins with, and small pieces the generators share.

`S` is the scalar type and `vec` holds `V` of them; loads and stores take any alignment.
Threads share nodes in consecutive ranges of equal work, so that each row of a result is summed by
one thread, in the order of the edges. Where edges of many nodes add to the same rows, they do so
in two halves, see `HALVES`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from intertwiner.compiled import processor_flags
from intertwiner_equivariant_conv.kernels.compiled.terms import Entry, Pair
from intertwiner_equivariant_conv.layers.paths import Path, PathTable

__all__ = [
    "HALVES",
    "Part",
    "Scalar",
    "coupled",
    "fetch",
    "lines",
    "literal",
    "matrix",
    "numbered",
    "prelude",
    "rows_in",
    "rows_out",
    "scalar",
    "signed_sum",
]

Part = tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar type: its name in C++, how many fit a register, and how many registers there are."""

    name: str
    lanes: int
    registers: int


@functools.cache
def scalar(dtype: torch.dtype) -> Scalar:
    """The type of `dtype` (float32 or float64) on this processor."""
    wide = "avx512f" in processor_flags()
    name, size = ("float", 4) if dtype == torch.float32 else ("double", 8)
    return Scalar(name, (64 if wide else 32) // size, 32 if wide else 16)


def prelude(kind: Scalar) -> str:
    """Types, loads and stores, the sum over lanes, and the shares of threads."""
    store = f"__builtin_ia32_movntp{kind.name[0].replace('f', 's')}512"  # ...ps or ...pd
    sizes = f"enum {{ V = {kind.lanes} }};\n#define STORE {store}\n"
    return f"typedef {kind.name} S;\n{sizes}{_PRELUDE}{_folds(kind.lanes)}{_TOTALS}"


def _folds(lanes: int) -> str:
    """fold<s>: of vectors a and b in pieces of 2s lanes, the sums of each piece's halves."""
    text = "template <int SIZE> static inline vec fold(vec a, vec b);\n"
    size = lanes // 2
    while size:
        first = [lane for lane in range(2 * lanes) if lane % (2 * size) < size]
        pick = (", ".join(str(lane + side) for lane in first) for side in (0, size))
        sums = " + ".join(f"PICK(a, b, {indices})" for indices in pick)
        text += f"template <> inline vec fold<{size}>(vec a, vec b) {{ return {sums}; }}\n"
        size //= 2
    return text


def literal(value: float) -> str:
    return f"S({value!r})"


def signed_sum(products: list[tuple[int, str]]) -> str:
    """ "a*b - c*d + ..." of (sign, product); a positive one comes first where there is one."""
    ordered = sorted(products, key=lambda item: -item[0])
    text = " ".join(f"{'+' if sign > 0 else '-'} {product}" for sign, product in ordered)
    return text.removeprefix("+ ")


def lines(parts: Iterable[str]) -> str:
    return "\n".join(parts)


def numbered(table: PathTable, part: Part) -> list[tuple[int, Path]]:
    """(number in the table, path) of every path of a part."""
    return [(number, path) for number, path in enumerate(table.paths) if path in part]


def rows_in(part: Part) -> list[int]:
    """Rows of the features that a part reads."""
    return sorted({row for path in part for row in range(path.l1**2, (path.l1 + 1) ** 2)})


def rows_out(path: Path) -> range:
    """Rows of the output that a path owns."""
    return range(path.offset, path.offset + 2 * path.l3 + 1)


def fetch(start: str, rows: Iterable[int], *, write: bool = False) -> str:
    """Asks for rows that the loop needs later, into the second-level cache."""
    return (
        lines(f"    __builtin_prefetch({start} + {row} * C, {int(write)}, 2);" for row in rows)
        + "\n"
    )


def matrix(entries: tuple[Entry, ...], rows_edge: int) -> str:
    """Functions `harmonics`, rows of Y of `count` edges as yt[row][edge], and `matrix`, their M."""
    used = sorted({row for entry in entries for row, _ in entry})
    loads = [f"  vec y{row} = get(yt + {row} * V);" for row in used]
    sums = [f"  put(m + {number} * V, {_sum(entry)});" for number, entry in enumerate(entries)]
    sizes = f"enum {{ K2 = {rows_edge}, NM = {len(entries)} }};"
    return sizes + _MATRIX.replace("BODY", lines(loads + sums))


def _sum(entry: Entry) -> str:
    return signed_sum(
        [
            (1 if value > 0 else -1, f"y{row}" + ("" if size == 1 else f" * {literal(size)}"))
            for row, value in entry
            for size in (abs(value),)
        ]
    )


def coupled(chosen: list[Pair], row: str, other: str) -> str:
    """sum of `other`i * M over the pairs, with M of edge `e` broadcast from the matrix."""
    return signed_sum(
        [(pair.sign, f"{other}{getattr(pair, row)} * m[{pair.entry} * V + e]") for pair in chosen]
    )


_MATRIX = """
static inline void harmonics(const S* y, const int64_t* ids, int64_t first, int count, S* yt) {
  for (int e = 0; e < count; e++) {
    const S* row = y + (ids ? ids[e] : first + e) * K2;
    for (int j = 0; j < K2; j++) yt[j * V + e] = row[j];
  }
  for (int e = count; e < V; e++)
    for (int j = 0; j < K2; j++) yt[j * V + e] = 0;
}
static inline void matrix(const S* yt, S* m) {
BODY
}
"""

_PRELUDE = """
#include <cstdint>
#include <memory>
#ifdef _OPENMP
#include <omp.h>
#else
static inline int omp_get_thread_num() { return 0; }
static inline int omp_get_num_threads() { return 1; }
#endif
typedef S vec __attribute__((vector_size(V * sizeof(S))));
typedef vec loose __attribute__((aligned(sizeof(S)), may_alias));
#ifdef __clang__
#define PICK __builtin_shufflevector
#else
template <int bytes> struct Lane { typedef int32_t type; };
template <> struct Lane<8> { typedef int64_t type; };
typedef Lane<sizeof(S)>::type lanes __attribute__((vector_size(V * sizeof(S))));
#define PICK(a, b, ...) __builtin_shuffle(a, b, lanes{__VA_ARGS__})
#endif
static inline vec get(const S* p) { return *(const loose*)p; }
static inline void put(S* p, vec v) { *(loose*)p = v; }
#if defined(__AVX512F__) && defined(__clang__)
static inline void stream(S* p, vec v) { __builtin_nontemporal_store(v, (vec*)p); }
static inline void fence() { __builtin_ia32_sfence(); }
#elif defined(__AVX512F__)
static inline void stream(S* p, vec v) { STORE(p, v); }
static inline void fence() { __builtin_ia32_sfence(); }
#else
static inline void stream(S* p, vec v) { put(p, v); }
static inline void fence() {}
#endif
// A result is set, added to, or (aligned to 64 bytes) written past the cache, which is faster where
// it would not stay there anyway.
enum { SET, ADD, STREAM };
static inline void save(S* p, vec v, int64_t mode) {
  if (mode == STREAM) stream(p, v); else put(p, mode == ADD ? get(p) + v : v);
}
static inline vec zero() { return vec{}; }
struct Share { int64_t first, last; };
// Of nodes, the t-th of `parts` consecutive ones with equal work.
static inline Share share(const int64_t* rowptr, int64_t nodes, int64_t t, int64_t parts) {
  int64_t bounds[2];
  for (int64_t side = 0; side < 2; side++) {
    int64_t goal = (rowptr[nodes] + nodes) * (t + side) / parts, low = 0, high = nodes;
    while (low < high) {
      int64_t middle = (low + high) / 2;
      if (rowptr[middle] + middle < goal) low = middle + 1; else high = middle;
    }
    bounds[side] = low;
  }
  return {bounds[0], bounds[1]};
}
static inline Share share(const int64_t* rowptr, int64_t nodes) {
  return share(rowptr, nodes, omp_get_thread_num(), omp_get_num_threads());
}
"""

_TOTALS = """
// The sums over the lanes of N <= V vectors, in the first N lanes; v is used up.
template <int N, int SIZE> struct Fold {
  static inline vec run(vec* v) {
    for (int i = 0; i < N / 2; i++) v[i] = fold<SIZE>(v[2 * i], v[2 * i + 1]);
    if (N % 2) v[N / 2] = fold<SIZE>(v[N - 1], v[N - 1]);
    return Fold<(N + 1) / 2, SIZE / 2>::run(v);
  }
};
template <int N> struct Fold<N, 0> { static inline vec run(vec* v) { return v[0]; } };
// out: set to the sums of N vectors, or added to.
template <int N> static inline void totals(vec* v, S* out, bool add) {
  enum { NOW = N < V ? N : V };
  vec sum = Fold<NOW, V / 2>::run(v);
  for (int i = 0; i < NOW; i++) out[i] = add ? out[i] + sum[i] : sum[i];
  if constexpr (N > V) totals<N - V>(v + V, out + V, add);
}
"""

HALVES = """
// The edges in two halves of whole nodes, each with a sum of its own for what several edges add to:
// the first half adds to the result, the second to `spare`, which is added to it at the end. So two
// threads may take a half each, and one alone gets the same bits.
// Few edges are all in the first.
enum { FEW = 512 };
struct Second { int64_t first, edge, low, high; };  // its first node and edge; range of its sources
static Second second_half(const int64_t* source, const int64_t* rowptr, int64_t nodes) {
  int64_t all = rowptr[nodes], first = all < FEW ? nodes : share(rowptr, nodes, 1, 2).first;
  int64_t edge = rowptr[first];
  if (edge == all || !source) return {first, edge, 0, 0};
  int64_t low = source[edge], high = low;
  for (int64_t e = edge; e < all; e++) {
    low = source[e] < low ? source[e] : low;
    high = source[e] > high ? source[e] : high;
  }
  return {first, edge, low, high + 1};
}
static void clear(S* values, int64_t size) {
  for (int64_t i = 0; i < size; i++) values[i] = 0;
}
static void add_to(S* out, const S* values, int64_t size, int64_t threads) {
#pragma omp parallel for num_threads(threads) if (threads > 1)
  for (int64_t i = 0; i < size; i++) out[i] += values[i];
}
"""
