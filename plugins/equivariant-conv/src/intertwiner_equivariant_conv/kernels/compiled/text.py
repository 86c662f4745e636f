"""C++ that every generated unit begins with, and small pieces the generators share.

`S` is the scalar type and `vec` holds `V` of them; loads and stores take any alignment.
Threads share nodes in consecutive ranges of equal work, so that each row of a result is summed by
one thread, in the order of the edges.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from intertwiner_equivariant_conv.kernels.compiled.build import processor_flags
from intertwiner_equivariant_conv.kernels.compiled.terms import Entry, Pair
from intertwiner_equivariant_conv.layers.paths import Path, PathTable

__all__ = [
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
    return (
        f"typedef {kind.name} S;\nenum {{ V = {kind.lanes} }};\n#define STORE {store}\n{_PRELUDE}"
    )


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
typedef S half __attribute__((vector_size(V / 2 * sizeof(S))));
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
static inline S total(vec v) {
  union { vec whole; half parts[2]; } u = {v};
  union { half whole; S parts[V / 2]; } r = {u.parts[0] + u.parts[1]};
  S a = 0, b = 0;
  for (int i = 0; i < V / 2; i += 2) { a += r.parts[i]; b += r.parts[i + 1]; }
  return a + b;
}
struct Share { int64_t first, last; };
static inline Share share(const int64_t* rowptr, int64_t nodes) {
  int64_t t = omp_get_thread_num(), threads = omp_get_num_threads(), bounds[2];
  for (int side = 0; side < 2; side++) {
    int64_t goal = (rowptr[nodes] + nodes) * (t + side) / threads, low = 0, high = nodes;
    while (low < high) {
      int64_t middle = (low + high) / 2;
      if (rowptr[middle] + middle < goal) low = middle + 1; else high = middle;
    }
    bounds[side] = low;
  }
  return {bounds[0], bounds[1]};
}
"""
