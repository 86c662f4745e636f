"""`table_product_scatter`: the product with weights interpolated in a table, never stored.

With W[e] = sum_q B[e, q] T[row(e), q] in `tensor_product_scatter`: linear in each of features,
harmonics, powers B (t^q, see `layers.radial_table`) and table T, and differentiable in all.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner.kernels import dispatch
from intertwiner_equivariant_conv.errors import InvalidInput, WrongType
from intertwiner_equivariant_conv.kernels import check_edges
from intertwiner_equivariant_conv.layers.paths import infer_paths

__all__ = ["OPERATION", "table_product_scatter"]

OPERATION = "table_product_scatter"


def table_product_scatter(
    features: Float[Tensor, "nodes rows_in channels"],
    harmonics: Float[Tensor, "edges rows_edge"],
    powers: Float[Tensor, "edges degree+1"],
    table: Float[Tensor, "rows degree+1 paths*channels"],
    row: Int[Tensor, " edges"],
    source: Int[Tensor, " edges"],
    target: Int[Tensor, " edges"],
    nodes: int,
    *,
    validate: bool = True,
) -> Float[Tensor, "nodes rows_out channels"]:
    """`tensor_product_scatter` with weights sum_q powers[e, q] table[row[e], q].

    Differentiable to any order with respect to features, harmonics, powers and table. The
    compiled kernel stores no weights of edges but those of some hundred at a time.

    Raises `InvalidInput` and `WrongType` as `tensor_product_scatter` does, and `InvalidInput` for
    a table that does not fit the powers, or rows outside the table.
    """
    _check(features, harmonics, powers, table, row, source, target)
    infer_paths(features.shape[1], harmonics.shape[1], features.shape[2], table.shape[2])
    if validate:
        check_edges(source, target, len(features), nodes)
        _check_rows(row, len(table))
    run = dispatch(OPERATION, features.device, features.dtype)
    out: Tensor = run(features, harmonics, powers, table, row, source, target, nodes)
    return out


def _check(x: Tensor, y: Tensor, powers: Tensor, table: Tensor, *indices: Tensor) -> None:
    tensors = (x, y, powers, table)
    devices = {tensor.device for tensor in (*tensors, *indices)}
    if len(devices) > 1:
        raise InvalidInput(f"tensors on several devices: {sorted(map(str, devices))}")
    kinds = [tensor.dtype for tensor in tensors]
    if len(set(kinds)) > 1:
        raise WrongType(f"features, harmonics, powers and table have dtypes {kinds}: use one")
    if kinds[0] not in (torch.float32, torch.float64):
        raise WrongType(f"{kinds[0]} is not supported: use float32 or float64")
    if any(index.dtype != torch.int64 for index in indices):
        raise InvalidInput(f"indices have dtypes {[index.dtype for index in indices]}: use int64")
    lengths = [len(y), len(powers), *map(len, indices)]
    if len(set(lengths)) > 1 or x.ndim != 3:
        raise InvalidInput(
            f"harmonics, powers, row, source and target have lengths {lengths}, features have "
            f"shape {list(x.shape)}: one row an edge, and features [nodes, rows, channels]"
        )
    if table.ndim != 3 or powers.ndim != 2 or table.shape[1] != powers.shape[1]:
        raise InvalidInput(
            f"powers {list(powers.shape)} and table {list(table.shape)}: expected [edges, n] and "
            "[rows, n, paths x channels]"
        )


def _check_rows(row: Int[Tensor, " edges"], rows: int) -> None:
    if not len(row):
        return
    lowest, highest = (int(value) for value in torch.aminmax(row))
    if lowest < 0 or highest >= rows:
        seen = lowest if lowest < 0 else highest
        raise InvalidInput(f"row {seen} of an edge is outside the table's {rows}")
