"""The operations of an atomic convolution, each served by the best kernel that can run here.

`radial_pool` sums filters over blocks of edges; `grouped_linear` multiplies slices of rows with
matrices of their own; `grouped_layer` does so behind a rectifier; `pair_counts` counts pairs
across an interface in soft shells.
`INTERTWINER_KERNELS=reference` forces the plain ones of `kernels.reference`.
"""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Bool, Float, Int
from torch import Tensor

from intertwiner.kernels import dispatch
from intertwiner_atomic_conv.errors import InvalidInput
from intertwiner_atomic_conv.kernels.counting import Table

__all__ = [
    "GROUPED_LAYER",
    "GROUPED_LINEAR",
    "PAIR_COUNTS",
    "RADIAL_POOL",
    "Slice",
    "Table",
    "grouped_layer",
    "grouped_linear",
    "pair_counts",
    "radial_pool",
]

RADIAL_POOL = "radial_pool"
GROUPED_LINEAR = "grouped_linear"
GROUPED_LAYER = "grouped_layer"
PAIR_COUNTS = "pair_counts"

Slice = tuple[int, int, int]
"""(which matrix, first row, row after the last)."""


def radial_pool(
    distance: Float[Tensor, " edges"],
    pointer: Int[Tensor, " blocks+1"],
    cutoff: Float[Tensor, " filters"],
    centre: Float[Tensor, " filters"],
    exponent: Float[Tensor, " filters"],
) -> Float[Tensor, "blocks filters"]:
    """Sums of filters over the edges of each block.

        out[b, k] = sum_{e = pointer[b]}^{pointer[b+1] - 1} f_k(distance[e])

    with f_k of `layers.radial`; lengths in angstrom. Differentiable twice.
    Raises `InvalidInput` when the pointer does not span the edges.
    """
    if pointer[0] != 0 or pointer[-1] != len(distance):
        raise InvalidInput(
            f"pointer runs from {int(pointer[0])} to {int(pointer[-1])}, "
            f"it must run from 0 to the number of edges, {len(distance)}"
        )
    run = dispatch(RADIAL_POOL, distance.device, distance.dtype)
    out: Tensor = run(distance, pointer, cutoff, centre, exponent)
    return out


def grouped_linear(
    x: Float[Tensor, "rows inputs"],
    weight: Float[Tensor, "groups inputs outputs"],
    slices: Sequence[Slice],
    place: Int[Tensor, " rows"] | None = None,
    size: int | None = None,
    bias: Float[Tensor, "groups outputs"] | None = None,
) -> Float[Tensor, "size outputs"]:
    """Each slice of rows times the matrix of its group, added up in rows `place` of the output.

        out[place[r]] = sum over rows r of x[r] W[group of r] + b[group of r]

    slices: covering all rows in order; a group may come more than once. Without `place`, row r of
    the output is that of x. size: rows of the output. Differentiable twice.
    """
    run = dispatch(GROUPED_LINEAR, x.device, x.dtype)
    out: Tensor = run(x, weight, tuple(slices), place, len(x) if size is None else size, bias)
    return out


def grouped_layer(
    x: Float[Tensor, "rows inputs"],
    shift: Float[Tensor, "groups inputs"],
    weight: Float[Tensor, "groups inputs outputs"],
    slices: Sequence[Slice],
    kept: Bool[Tensor, "period inputs"] | None = None,
    factor: float = 1.0,
    bias: Float[Tensor, "groups outputs"] | None = None,
) -> Float[Tensor, "rows outputs"]:
    """One layer of a perceptron for each slice of rows, from the sums of the layer before.

        out[r] = (factor kept[r mod period] relu(x[r] + shift[g])) W[g] + bias[g],  g = group of r

    kept: what dropout leaves, shared by sets of `period` rows. Differentiable twice.
    Raises `InvalidInput` when the rows are no multiple of the period.
    """
    if kept is not None and (len(kept) == 0 or len(x) % len(kept)) and len(x):
        raise InvalidInput(f"kept has {len(kept)} rows, which do not divide the {len(x)} rows of x")
    run = dispatch(GROUPED_LAYER, x.device, x.dtype)
    out: Tensor = run(x, shift, weight, tuple(slices), kept, factor, bias)
    return out


def pair_counts(
    pos: Float[Tensor, "atoms 3"],
    weight: Float[Tensor, " atoms"],
    side: Int[Tensor, " atoms"],
    kind: Int[Tensor, " atoms"],
    pointer: Int[Tensor, " complexes+1"],
    table: Table,
) -> Float[Tensor, "complexes features"]:
    """How many pairs of each kind are nearer than each radius of `table`, softly.

        out[c, kind[i], kind[j], m] = sum over i of side 1, j of side 0
                                      (weight[i] + weight[j]) / 2 step_m(|pos[i] - pos[j]|)
        step_m(r) = (1 + cos(pi u)) / 2,  u = (r - a_m) / 2w + 1/2 clamped to [0, 1]

    pos in angstrom; side: 1, 0, or another value for atoms that count nowhere; kind below
    table.rows on side 1, below table.columns on side 0; pointer: first atom of each complex.
    Differentiable twice by pos and weight.
    """
    run = dispatch(PAIR_COUNTS, pos.device, pos.dtype)
    out: Tensor = run(pos, weight, side, kind, pointer, table)
    return out
