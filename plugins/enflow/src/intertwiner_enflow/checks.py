"""What a flow refuses: shapes, masks and coordinates it cannot take, named by sample and row."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.errors import ShapeError, StateError

__all__ = ["check_finite", "check_mask", "check_positions"]


def check_positions(
    x: Float[Tensor, "batch n dim"], dimension: int, particles: int | None = None
) -> None:
    """Raises `ShapeError` unless x is [batch, particles, dimension], `StateError` for NaN."""
    wanted = f"[batch, {'particles' if particles is None else particles}, {dimension}]"
    if x.ndim != 3 or x.shape[-1] != dimension:
        raise ShapeError(f"configurations must be {wanted}, not {list(x.shape)}")
    if particles is not None and x.shape[1] != particles:
        raise ShapeError(
            f"this flow is pinned to {particles} particles and was given {x.shape[1]}: "
            "build it with particles=None to take any number"
        )
    if x.shape[1] == 0:
        raise StateError(f"configurations must have a particle, the shape is {list(x.shape)}")
    check_finite(x, "coordinate")


def check_finite(values: Float[Tensor, "batch n channels"], what: str) -> None:
    """Raises `StateError` naming sample and particle of the first entry that is not finite."""
    wrong = ~torch.isfinite(values)
    if bool(wrong.any()):
        sample, particle, _ = wrong.nonzero()[0].tolist()
        value = float(values[wrong][0])
        raise StateError(f"sample {sample}, particle {particle}: {what} is {value}")


def check_mask(mask: Float[Tensor, "batch n"], *values: Float[Tensor, "batch n channels"]) -> None:
    """Raises `StateError` for a mask with other numbers than 0 and 1, a row without particles,
    or values that are not zero where the mask is."""
    odd = (mask != 0) & (mask != 1)
    if bool(odd.any()):
        row, column = odd.nonzero()[0].tolist()
        seen = float(mask[row, column])
        raise StateError(f"mask of sample {row}, particle {column} is {seen}: must be 0 or 1")
    empty = mask.sum(dim=1) == 0
    if bool(empty.any()):
        raise StateError(f"sample {int(empty.nonzero()[0])} has no particle: its mask is all zero")
    for tensor in values:
        outside = tensor.abs().sum(dim=-1) * (1 - mask) > 0
        if bool(outside.any()):
            row, column = outside.nonzero()[0].tolist()
            raise StateError(
                f"sample {row}, particle {column} is masked but holds values: set them to zero"
            )
