"""Writes the C++ of the operation for one path table and scalar type: three units.

`forward` and `gradient_edges` (dY, dW) go over edges sorted by target, `gradient_features` (dx)
over edges sorted by source; every path is unrolled with its constants. With x in R^[i], g the
cotangent of output row k, and M_ik = sum_j Q_ijk Y_j computed once per edge for all channels:

    forward            out_k += W_p sum_i x_i M_ik                NM + KO multiply-adds
    gradient_features  dx_i  += W_p sum_k g_k M_ik                NM + sum_p (2 l1 + 1)
    gradient_edges     z_j    = sum_ik x_i (Q_ijk g_k)            number of constants
                       dW_p   = sum_j Y_j z_j,  dY_j += W_p z_j   2 sum_p (2 l2 + 1)

per edge and channel, where Q_ijk g_k does not depend on the edge and is made once per node.
"""

from __future__ import annotations

from intertwiner_equivariant_conv.kernels.compiled.terms import entries, groups, pairs, terms
from intertwiner_equivariant_conv.kernels.compiled.text import (
    Scalar,
    coupled,
    literal,
    matrix,
    prelude,
    signed_sum,
)
from intertwiner_equivariant_conv.layers.paths import Path, PathTable

__all__ = ["units"]

Part = tuple[Path, ...]


def units(table: PathTable, kind: Scalar) -> dict[str, str]:
    """Name -> source of the three units."""
    sizes = f"enum {{ K = {table.rows_in}, P = {len(table)}, KO = {table.rows_out} }};\n"
    begin = prelude(kind) + sizes
    products = begin + matrix(entries(table), table.rows_edge)
    return {
        "forward": products + forward(table, kind),
        "gradient_features": products + gradient_features(table, kind),
        "gradient_edges": products + gradient_edges(table, kind),
    }


def _numbers(table: PathTable, part: Part) -> list[tuple[int, Path]]:
    return [(number, path) for number, path in enumerate(table.paths) if path in part]


def _rows_in(part: Part) -> list[int]:
    return sorted({row for path in part for row in range(path.l1**2, (path.l1 + 1) ** 2)})


def _rows_out(path: Path) -> range:
    return range(path.offset, path.offset + 2 * path.l3 + 1)


def _fetch(start: str, rows: list[int], write: int = 0) -> str:
    """Rows that the loop will need later, asked for now into the second-level cache."""
    return "".join(f"    __builtin_prefetch({start} + {row} * C, {write}, 2);\n" for row in rows)


def forward(table: PathTable, kind: Scalar) -> str:
    parts = groups(table, kind.registers // 2)
    bodies = [_forward_part(table, part, number) for number, part in enumerate(parts)]
    calls = "\n".join(
        f"          part{number}(x + c, m, w + start * P * C + c, source + start, count, left, "
        "o + c, C, fresh);"
        for number in range(len(parts))
    )
    return (
        "\n".join(bodies)
        + f"""
extern "C" void forward(const S* x, const S* y, const S* w, const int64_t* source,
    const int64_t* rowptr, int64_t nodes, int64_t C, S* out, int64_t add, int64_t threads) {{
#pragma omp parallel num_threads(threads) if (threads > 1)
  {{
    Share mine = share(rowptr, nodes);
    alignas(64) S yt[K2 * V], m[NM * V];
    for (int64_t n = mine.first; n < mine.last; n++) {{
      S* o = out + n * KO * C;
      if (rowptr[n] == rowptr[n + 1] && !add)
        for (int64_t i = 0; i < KO * C; i++) o[i] = 0;
      for (int64_t start = rowptr[n]; start < rowptr[n + 1]; start += V) {{
        int count = rowptr[n + 1] - start < V ? rowptr[n + 1] - start : V;
        int left = rowptr[nodes] - start > 2 * V ? V : 0;
        bool fresh = start == rowptr[n] && !add;
        harmonics(y, nullptr, start, count, yt);
        matrix(yt, m);
        for (int64_t c = 0; c < C; c += V) {{
{calls}
        }}
      }}
    }}
  }}
}}
"""
    )


def _forward_part(table: PathTable, part: Part, number: int) -> str:
    rows = [row for path in part for row in _rows_out(path)]
    begin = "\n".join(f"  vec a{k} = fresh ? zero() : get(o + {k} * C);" for k in rows)
    loads = "\n".join(f"    vec x{i} = get(xe + {i} * C);" for i in _rows_in(part))
    sums = "\n".join(
        f"    {{ vec wp = get(we + {p} * C);\n"
        + "\n".join(
            "      a{} += wp * ({});".format(
                k,
                coupled([q for q in pairs(table, path) if q.row_out == k], "row_in", "x"),
            )
            for k in _rows_out(path)
        )
        + " }"
        for p, path in _numbers(table, part)
    )
    end = "\n".join(f"  put(o + {k} * C, a{k});" for k in rows)
    fetch = _fetch("we + V * P * C", [p for p, _ in _numbers(table, part)])
    fetch += _fetch("x + source[e + ahead] * K * C", _rows_in(part))
    return f"""
static void part{number}(const S* x, const S* m, const S* w, const int64_t* source, int count,
    int ahead, S* o, int64_t C, bool fresh) {{
{begin}
  for (int e = 0; e < count; e++) {{
    const S* xe = x + source[e] * K * C;
    const S* we = w + e * P * C;
{fetch}{loads}
{sums}
  }}
{end}
}}
"""


def gradient_features(table: PathTable, kind: Scalar) -> str:
    parts = groups(table, 2 * kind.registers)
    bodies = [_features_part(table, part, number) for number, part in enumerate(parts)]
    calls, seen = [], set[int]()
    for number, part in enumerate(parts):
        again = "true" if {path.l1 for path in part} & seen else "fresh"
        again = "false" if again == "true" else again
        seen |= {path.l1 for path in part}
        calls.append(
            f"          part{number}(g + c, m, w + c, order + start, target, count, d + c, C, {again});"
        )
    text = "\n".join(calls)
    return (
        "\n".join(bodies)
        + f"""
extern "C" void gradient_features(const S* y, const S* w, const S* g, const int64_t* target,
    const int64_t* order, const int64_t* rowptr, int64_t nodes, int64_t C, S* dx, int64_t add,
    int64_t threads) {{
#pragma omp parallel num_threads(threads) if (threads > 1)
  {{
    Share mine = share(rowptr, nodes);
    alignas(64) S yt[K2 * V], m[NM * V];
    for (int64_t n = mine.first; n < mine.last; n++) {{
      S* d = dx + n * K * C;
      if (rowptr[n] == rowptr[n + 1] && !add)
        for (int64_t i = 0; i < K * C; i++) d[i] = 0;
      for (int64_t start = rowptr[n]; start < rowptr[n + 1]; start += V) {{
        int count = rowptr[n + 1] - start < V ? rowptr[n + 1] - start : V;
        bool fresh = start == rowptr[n] && !add;
        harmonics(y, order + start, 0, count, yt);
        matrix(yt, m);
        for (int64_t c = 0; c < C; c += V) {{
{text}
        }}
      }}
    }}
  }}
}}
"""
    )


def _features_part(table: PathTable, part: Part, number: int) -> str:
    rows = _rows_in(part)
    begin = "\n".join(f"  vec a{i} = fresh ? zero() : get(d + {i} * C);" for i in rows)
    text = _features_sums(table, part, load=True)
    end = "\n".join(f"  put(d + {i} * C, a{i});" for i in rows)
    return f"""
static void part{number}(const S* g, const S* m, const S* w, const int64_t* order,
    const int64_t* target, int count, S* d, int64_t C, bool fresh) {{
{begin}
  for (int e = 0; e < count; e++) {{
    const S* ge = g + target[order[e]] * KO * C;
    const S* we = w + order[e] * P * C;
{text}
  }}
{end}
}}
"""


def gradient_edges(table: PathTable, kind: Scalar) -> str:
    parts = groups(table, 4 * kind.registers)
    scaled = _scaled(table)
    bodies = [_edges_part(table, part, number, scaled) for number, part in enumerate(parts)]
    calls = "\n".join(
        f"          part{number}<DY, DW>(x + source[e] * K * C, x + source[e + ahead] * K * C, "
        "ye, w + e * P * C, gs, C, u, dw + e * P * C, add);"
        for number in range(len(parts))
    )
    makes = "\n".join(
        f"    put(gs + (c * NG + {number} * V), get(g + {k} * C + c)"
        + (f" * {literal(value)});" if value != 1 else ");")
        for (k, value), number in scaled.items()
    )
    sides = groups(table, kind.registers // 2)
    bodies += [_scatter_part(table, part, number) for number, part in enumerate(sides)]
    scatters = "\n".join(
        f"          scatter{number}(gn + c, m, w + start * P * C + c, source + start, count, "
        "left, dx + c, C);"
        for number in range(len(sides))
    )
    return f"enum {{ NG = {len(scaled)}, AHEAD = 3 }};\n" + "\n".join(bodies) + f"""
static void scale(const S* g, S* gs, int64_t C) {{
  for (int64_t c = 0; c < C; c += V) {{
{makes}
  }}
}}
template <bool DY, bool DW>
static void edges(const S* x, const S* y, const S* w, const S* g, const int64_t* source,
    const int64_t* rowptr, int64_t nodes, int64_t C, S* dx, S* dy, S* dw, bool add,
    int64_t threads) {{
#pragma omp parallel num_threads(threads) if (threads > 1)
  {{
    Share mine = share(rowptr, nodes);
    std::unique_ptr<S[]> store(new S[NG * C + V]);
    S* gs = (S*)(((uintptr_t)store.get() + 63) / 64 * 64);
    alignas(64) S yt[K2 * V], m[NM * V];
    for (int64_t n = mine.first; n < mine.last; n++) {{
      const S* gn = g + n * KO * C;
      if ((DY || DW) && rowptr[n] < rowptr[n + 1]) scale(gn, gs, C);
      for (int64_t start = rowptr[n]; start < rowptr[n + 1]; start += V) {{
        int count = rowptr[n + 1] - start < V ? rowptr[n + 1] - start : V;
        if (DY || DW) for (int64_t e = start; e < start + count; e++) {{
          int64_t ahead = e + AHEAD < rowptr[nodes] ? AHEAD : 0;
          const S* ye = y + e * K2;
          vec u[K2] = {{}};
{calls}
          if (DY)
            for (int j = 0; j < K2; j++) dy[e * K2 + j] = (add ? dy[e * K2 + j] : 0) + total(u[j]);
        }}
        if (!dx) continue;
        int left = rowptr[nodes] - start > 2 * V ? V : 0;
        harmonics(y, nullptr, start, count, yt);
        matrix(yt, m);
        for (int64_t c = 0; c < C; c += V) {{
{scatters}
        }}
      }}
    }}
  }}
}}
// dx (already set; one thread only) is added to edge by edge, in their order.
extern "C" void gradient_edges(const S* x, const S* y, const S* w, const S* g,
    const int64_t* source, const int64_t* rowptr, int64_t nodes, int64_t C, S* dx, S* dy, S* dw,
    int64_t add, int64_t threads) {{
  auto run = dy && dw ? edges<true, true> : dy ? edges<true, false>
           : dw ? edges<false, true> : edges<false, false>;
  run(x, y, w, g, source, rowptr, nodes, C, dx, dy, dw, add, threads);
}}
"""


def _scatter_part(table: PathTable, part: Part, number: int) -> str:
    rows = _rows_in(part)
    outs = [k for path in part for k in _rows_out(path)]
    begin = "\n".join(f"  vec g{k} = get(g + {k} * C);" for k in outs)
    loads = "\n".join(f"    vec a{i} = get(d + {i} * C);" for i in rows)
    ends = "\n".join(f"    put(d + {i} * C, a{i});" for i in rows)
    sums = _features_sums(table, part, load=False)
    fetch = _fetch("dx + source[e + ahead] * K * C", rows, 1)
    return f"""
static void scatter{number}(const S* g, const S* m, const S* w, const int64_t* source, int count,
    int ahead, S* dx, int64_t C) {{
{begin}
  for (int e = 0; e < count; e++) {{
    S* d = dx + source[e] * K * C;
    const S* we = w + e * P * C;
{fetch}{loads}
{sums}
{ends}
  }}
}}
"""


def _features_sums(table: PathTable, part: Part, load: bool) -> str:
    """a_i += W_p sum_k g_k M_ik, path by path."""
    lines = []
    for p, path in _numbers(table, part):
        lines.append(f"    {{ vec wp = get(we + {p} * C);")
        if load:
            lines += [f"      vec g{k} = get(ge + {k} * C);" for k in _rows_out(path)]
        for i in range(path.l1**2, (path.l1 + 1) ** 2):
            own = [pair for pair in pairs(table, path) if pair.row_in == i]
            if own:
                lines.append(f"      a{i} += wp * ({coupled(own, 'row_out', 'g')});")
        lines.append("    }")
    return "\n".join(lines)


def _scaled(table: PathTable) -> dict[tuple[int, float], int]:
    """(output row, size of constant) -> number of the multiple of g."""
    found: dict[tuple[int, float], int] = {}
    for path in table.paths:
        for term in terms(path):
            found.setdefault((term.row_out, round(abs(term.value), 15)), len(found))
    return found


def _edges_part(
    table: PathTable, part: Part, number: int, scaled: dict[tuple[int, float], int]
) -> str:
    loads = "\n".join(f"    vec x{i} = get(x + {i} * C + c);" for i in _rows_in(part))
    numbers = [p for p, _ in _numbers(table, part)]
    fetch = _fetch("w + c + AHEAD * P * C", numbers) + _fetch("later + c", _rows_in(part))
    used = sorted({row for path in part for row in range(path.l2**2, (path.l2 + 1) ** 2)})
    begin = "\n".join(f"  vec u{j} = u[{j}];" for j in used)
    end = "\n".join(f"  u[{j}] = u{j};" for j in used)
    text = []
    for p, path in _numbers(table, part):
        rows = [j for j in used if path.l2**2 <= j < (path.l2 + 1) ** 2]
        text.append("    {")
        for j in rows:
            products = [
                (
                    1 if term.value > 0 else -1,
                    f"x{term.row_in} * get(gc + "
                    f"{scaled[term.row_out, round(abs(term.value), 15)]} * V)",
                )
                for term in terms(path)
                if term.row_edge == j
            ]
            text.append(f"      vec z{j} = {signed_sum(products)};")
        weighed = " + ".join(f"y[{j}] * z{j}" for j in rows)
        text.append(f"      if (DW) {{ vec s = {weighed}; S* to = dw + {p} * C + c;")
        text.append("        if (add) put(to, get(to) + s); else stream(to, s); }")
        text.append(f"      if (DY) {{ vec wp = get(w + {p} * C + c);")
        text += [f"        u{j} += wp * z{j};" for j in rows]
        text.append("      }\n    }")
    body = "\n".join(text)
    return f"""
template <bool DY, bool DW>
static void part{number}(const S* x, const S* later, const S* y, const S* w,
    const S* gs, int64_t C, vec* u, S* dw, bool add) {{
{begin}
  for (int64_t c = 0; c < C; c += V) {{
    const S* gc = gs + c * NG;
{fetch}{loads}
{body}
  }}
{end}
}}
"""
