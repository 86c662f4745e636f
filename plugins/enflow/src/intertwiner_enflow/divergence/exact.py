"""Exact divergence by forward tangents along a basis, some directions at a time."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.dynamics.base import Dynamics
from intertwiner_enflow.errors import StateError

__all__ = ["MEMORY_CAP", "divergence_along_basis", "exact_divergence"]

MEMORY_CAP = 256 * 2**20
"""Bytes that one chunk's pair tangents may take."""


def exact_divergence(
    dynamics: Dynamics,
    t: Float[Tensor, " batch"],
    s: Float[Tensor, "batch n channels"],
    mask: Float[Tensor, "batch n"] | None = None,
    *,
    memory_cap: int = MEMORY_CAP,
) -> tuple[Float[Tensor, "batch n channels"], Float[Tensor, " batch"]]:
    """v and div v over all coordinates of real particles.

    Since v has no mean and does not see the mean of positions, this is the divergence within the
    subspace of zero mean. Uses the field's own short way where there is one.
    Raises `StateError` when one direction alone needs more than `memory_cap` bytes.
    """
    if mask is None:
        found = dynamics.divergence(t, s)
        if found is not None:
            return found
    return divergence_along_basis(dynamics, t, s, mask, memory_cap=memory_cap)


def divergence_along_basis(
    dynamics: Dynamics,
    t: Float[Tensor, " batch"],
    s: Float[Tensor, "batch n channels"],
    mask: Float[Tensor, "batch n"] | None = None,
    *,
    memory_cap: int = MEMORY_CAP,
) -> tuple[Float[Tensor, "batch n channels"], Float[Tensor, " batch"]]:
    """As `exact_divergence`, one tangent for every coordinate."""
    batch, count, channels = s.shape
    directions = _chunk(dynamics, s, memory_cap)
    total, values = torch.zeros(batch, dtype=s.dtype, device=s.device), torch.zeros_like(s)
    basis = torch.eye(count * channels, dtype=s.dtype, device=s.device)
    for part in basis.split(directions):
        ds = part.reshape(-1, 1, count, channels).expand(-1, batch, -1, -1)
        if mask is not None:
            ds = ds * mask.unsqueeze(-1)
        values, change = dynamics.tangents(t, s, ds, mask)
        total = total + (ds * change).sum(dim=(0, 2, 3))
    return values, total


def _chunk(dynamics: Dynamics, s: Tensor, memory_cap: int) -> int:
    """Directions at a time, from the size of one direction's pair tangents."""
    width = int(getattr(getattr(dynamics, "stack", None), "features", 1))
    one = len(s) * s.shape[1] ** 2 * width * s.element_size()
    if one > memory_cap:
        raise StateError(
            f"exact divergence of {len(s)} configurations of {s.shape[1]} particles needs {one} "
            f"bytes for one direction, above the cap of {memory_cap}: take fewer configurations "
            "at a time, raise memory_cap, or use divergence='hutchinson'"
        )
    return max(1, memory_cap // one)
