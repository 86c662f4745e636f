"""`radial_pool`: radial filters summed over blocks of edges, served by the best kernel here.

`INTERTWINER_KERNELS=reference` forces the plain one of `kernels.reference`.
"""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor

from intertwiner.kernels import dispatch
from intertwiner_atomic_conv.errors import InvalidInput

__all__ = ["OPERATION", "radial_pool"]

OPERATION = "radial_pool"


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
    run = dispatch(OPERATION, distance.device, distance.dtype)
    out: Tensor = run(distance, pointer, cutoff, centre, exponent)
    return out
