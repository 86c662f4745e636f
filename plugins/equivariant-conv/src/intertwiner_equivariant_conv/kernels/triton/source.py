"""The text of the Triton kernels of a path table: paths unrolled, zeros left out.

Rows are named by letter and number: x features, y harmonics, w weights, g cotangent of the output,
m the distinct entries of the matrices M_ik(Y), n those of M_ik(aY). Names with an `a` before them
are cotangents of gradients. Offsets are 64 bit, so that no size overflows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from intertwiner_equivariant_conv.kernels.compiled.terms import Pair, entries, pairs, terms
from intertwiner_equivariant_conv.layers.paths import Path, PathTable

__all__ = ["generate"]

HEAD = "import triton\nimport triton.language as tl\n"

START = """
    node = tl.program_id(0).to(tl.int64)
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = channel < channels
    zero = tl.zeros((BLOCK,), {like}.dtype.element_ty)"""

BY_TARGET = """
    for edge in range(tl.load(rows + node), tl.load(rows + node + 1)):
        start = tl.load(source + edge)"""

BY_SOURCE = """
    for position in range(tl.load(rows + node), tl.load(rows + node + 1)):
        edge = tl.load(order + position)
        end = tl.load(target + edge)"""


def generate(table: PathTable) -> str:
    """A module with the kernels `product`, `by_target`, `by_source` and two `second_` ones."""
    kernels = (product, by_target, by_source, second_by_target, second_by_source)
    return HEAD + "".join(f"\n\n{kernel(table)}\n" for kernel in kernels)


def product(table: PathTable) -> str:
    """out[n, k] = sum over edges that end at n of W_p sum_i M_ik x_i."""
    out = range(table.rows_out)
    return _join(
        _head("product", "x, y, w, source, rows, out, channels, BLOCK: tl.constexpr", "out"),
        _indent(1, (f"o{k} = zero" for k in out)),
        BY_TARGET,
        _indent(2, _edge_rows("y", "m", table), _rows("x", "start", table.rows_in)),
        _indent(2, _rows("w", "edge", len(table))),
        _indent(2, (f"o{k} += w{p} * ({_applied('m', 'x', own)})" for p, k, own in _out(table))),
        _indent(1, _store("out", "node", [f"o{k}" for k in out])),
    )


def by_target(table: PathTable) -> str:
    """dW_p = sum_k g_k sum_i M_ik x_i and dY_j = sum_c sum_ik Q_ijk x_i g_k W_p, edge by edge."""
    arguments = (
        "x, y, w, g, source, rows, dy, dw, channels, edges, "
        "BLOCK: tl.constexpr, DY: tl.constexpr, DW: tl.constexpr"
    )
    paths = [[] for _ in table.paths]  # type: list[list[str]]
    for p, k, own in _out(table):
        paths[p].append(f"g{k} * ({_applied('m', 'x', own)})")
    return _join(
        _head("by_target", arguments, "g"),
        _indent(1, _rows("g", "node", table.rows_out)),
        BY_TARGET,
        _indent(2, _edge_rows("y", "m", table), _rows("x", "start", table.rows_in)),
        _indent(2, ["if DW:"]),
        _indent(3, _store("dw", "edge", [" + ".join(parts) for parts in paths])),
        _indent(2, ["if DY:"]),
        _indent(3, _rows("w", "edge", len(table))),
        _indent(3, (f"h{k} = w{p} * g{k}" for p, k, _ in _out(table))),
        _indent(3, _store_harmonics(table, [("x", "h")])),
    )


def by_source(table: PathTable) -> str:
    """dx[n, i] = sum over edges that start at n of sum_k M_ik W_p g_k."""
    arguments = "y, w, g, target, order, rows, dx, channels, BLOCK: tl.constexpr"
    return _join(
        _head("by_source", arguments, "g"),
        _indent(1, (f"d{i} = zero" for i in range(table.rows_in))),
        BY_SOURCE,
        _indent(2, _edge_rows("y", "m", table), _rows("w", "edge", len(table))),
        _indent(2, _rows("g", "end", table.rows_out)),
        _indent(2, _back(table, "g", [("m", "w")])),
        _indent(1, _store("dx", "node", [f"d{i}" for i in range(table.rows_in)])),
    )


def second_by_target(table: PathTable) -> str:
    """With u_k = sum_i (M_ik(Y) ax_i + M_ik(aY) x_i): dg = sum of W u + aW M(Y) x, dW = g u, dY."""
    arguments = (
        "x, y, w, g, ax, ay, aw, source, rows, dy, dw, dg, channels, edges, BLOCK: tl.constexpr, "
        "DY: tl.constexpr, DW: tl.constexpr"
    )
    out = range(table.rows_out)
    paths = [[] for _ in table.paths]  # type: list[list[str]]
    for p, k, _ in _out(table):
        paths[p].append(f"g{k} * u{k}")
    return _join(
        _head("second_by_target", arguments, "g"),
        _indent(1, (f"o{k} = zero" for k in out), _rows("g", "node", table.rows_out)),
        BY_TARGET,
        _indent(2, _edge_rows("y", "m", table), _edge_rows("ay", "n", table)),
        _indent(2, _rows("x", "start", table.rows_in), _rows("ax", "start", table.rows_in)),
        _indent(2, _rows("w", "edge", len(table)), _rows("aw", "edge", len(table))),
        _indent(2, _changes(table)),
        _indent(2, ["if DW:"]),
        _indent(3, _store("dw", "edge", [" + ".join(parts) for parts in paths])),
        _indent(2, ["if DY:"]),
        _indent(3, (f"h{k} = w{p} * g{k}" for p, k, _ in _out(table))),
        _indent(3, (f"ah{k} = aw{p} * g{k}" for p, k, _ in _out(table))),
        _indent(3, _store_harmonics(table, [("ax", "h"), ("x", "ah")])),
        _indent(1, _store("dg", "node", [f"o{k}" for k in out])),
    )


def second_by_source(table: PathTable) -> str:
    """dx[n, i] = sum over edges that start at n of sum_k g_k (M_ik(aY) W_p + M_ik(Y) aW_p)."""
    arguments = "y, w, g, ay, aw, target, order, rows, dx, channels, BLOCK: tl.constexpr"
    return _join(
        _head("second_by_source", arguments, "g"),
        _indent(1, (f"d{i} = zero" for i in range(table.rows_in))),
        BY_SOURCE,
        _indent(2, _edge_rows("y", "m", table), _edge_rows("ay", "n", table)),
        _indent(2, _rows("w", "edge", len(table)), _rows("aw", "edge", len(table))),
        _indent(2, _rows("g", "end", table.rows_out)),
        _indent(2, _back(table, "g", [("n", "w"), ("m", "aw")])),
        _indent(1, _store("dx", "node", [f"d{i}" for i in range(table.rows_in)])),
    )


def _head(name: str, arguments: str, like: str) -> str:
    return f"@triton.jit\ndef {name}({arguments}):{START.format(like=like)}"


def _join(*parts: str) -> str:
    return "\n".join(part.strip("\n") for part in parts)


def _indent(depth: int, *lines: Iterable[str]) -> str:
    return "\n".join("    " * depth + line for part in lines for line in part)


def _rows(name: str, node: str, count: int) -> Iterator[str]:
    """Loads one block of channels of every row of a node or an edge."""
    yield f"at_{name} = {name} + {node} * ({count} * channels) + channel"
    for row in range(count):
        yield f"{name}{row} = tl.load(at_{name} + {row} * channels, mask=inside, other=0.0)"


def _store(name: str, node: str, values: list[str]) -> Iterator[str]:
    yield f"to_{name} = {name} + {node} * ({len(values)} * channels) + channel"
    for row, value in enumerate(values):
        yield f"tl.store(to_{name} + {row} * channels, {value}, mask=inside)"


def _edge_rows(name: str, entry: str, table: PathTable) -> Iterator[str]:
    """Loads the harmonics of an edge and makes the distinct entries of its matrix, scalars all."""
    for row in range(table.rows_edge):
        yield f"{name}{row} = tl.load({name} + edge * {table.rows_edge} + {row})"
    for number, parts in enumerate(entries(table)):
        sum_of = " + ".join(f"{value!r} * {name}{row}" for row, value in parts)
        yield f"{entry}{number} = {sum_of}"


def _out(table: PathTable) -> Iterator[tuple[int, int, list[Pair]]]:
    """(path, output row, entries of that row) for every output row."""
    for p, path in enumerate(table.paths):
        for k in range(path.offset, path.offset + 2 * path.l3 + 1):
            yield p, k, [pair for pair in pairs(table, path) if pair.row_out == k]


def _applied(entry: str, value: str, row: list[Pair]) -> str:
    """sum_i M_ik value_i, for one k."""
    return _signed((pair.sign, f"{entry}{pair.entry} * {value}{pair.row_in}") for pair in row)


def _signed(terms_: Iterable[tuple[int, str]]) -> str:
    text = " ".join(f"{'+' if sign > 0 else '-'} {term}" for sign, term in terms_)
    return text.removeprefix("+ ").replace("- ", "-", 1) if text.startswith("- ") else text[2:]


def _changes(table: PathTable) -> Iterator[str]:
    for p, k, own in _out(table):
        yield f"u{k} = {_applied('m', 'ax', own)} + ({_applied('n', 'x', own)})"
        yield f"o{k} += w{p} * u{k} + aw{p} * ({_applied('m', 'x', own)})"


def _back(table: PathTable, g: str, products: list[tuple[str, str]]) -> Iterator[str]:
    """Adds sum_k g_k sum over (entry, weight) of M_ik weight_p to every d_i."""
    for entry, weight in products:
        for p, k, own in _out(table):
            yield f"h = {weight}{p} * {g}{k}"
            for pair in own:
                sign = "+=" if pair.sign > 0 else "-="
                yield f"d{pair.row_in} {sign} {entry}{pair.entry} * h"


def _store_harmonics(table: PathTable, products: list[tuple[str, str]]) -> Iterator[str]:
    """dY_j summed over the block's channels; a part for every block."""
    parts = [[] for _ in range(table.rows_edge)]  # type: list[list[str]]
    for path in table.paths:
        for (k, i), factors in _by_pair(path).items():
            name = f"q{k}_{i}"
            yield f"{name} = " + " + ".join(f"{x}{i} * {h}{k}" for x, h in products)
            for j, value in factors:
                parts[j].append(f"{value!r} * {name}")
    yield f"to_dy = dy + (tl.program_id(1) * edges + edge) * {table.rows_edge}"
    for j, part in enumerate(parts):
        yield f"tl.store(to_dy + {j}, tl.sum({' + '.join(part)}, axis=0))"


def _by_pair(path: Path) -> dict[tuple[int, int], list[tuple[int, float]]]:
    found: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for term in terms(path):
        found.setdefault((term.row_out, term.row_in), []).append((term.row_edge, term.value))
    return found
