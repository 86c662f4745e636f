"""Hutchinson's estimate of the divergence: probes drawn once per solve, shared by its stages.

Probes are scaled so that the estimate is sum_k p_k^T J p_k. "rademacher" and "gaussian" are
independent draws over 1/sqrt(k); "orthonormal" are k orthonormal directions of the subspace of
zero mean, times sqrt(dof / k): unbiased, and exact for k = dof.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.density.prior import degrees_of_freedom
from intertwiner_enflow.dynamics.base import Dynamics
from intertwiner_enflow.dynamics.egnn import centred
from intertwiner_enflow.errors import StateError

__all__ = ["ProbeKind", "draw_probes", "hutchinson_divergence"]

ProbeKind = Literal["rademacher", "gaussian", "orthonormal"]


def draw_probes(
    kind: ProbeKind,
    count: int,
    s: Float[Tensor, "batch n channels"],
    dimension: int,
    mask: Float[Tensor, "batch n"] | None = None,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "count batch n channels"]:
    """`count` probes for every configuration, zero on masked particles."""
    shape = (count, *s.shape)
    if kind == "rademacher":
        draw = torch.randint(0, 2, shape, generator=generator, device=s.device)
        return _masked((2 * draw - 1).to(s.dtype), mask) / count**0.5
    draw = torch.randn(shape, generator=generator, dtype=s.dtype, device=s.device)
    if kind == "gaussian":
        return _masked(draw, mask) / count**0.5
    return _orthonormal(_masked(draw, mask), dimension, mask)


def _orthonormal(
    draw: Float[Tensor, "count batch n channels"], dimension: int, mask: Tensor | None
) -> Float[Tensor, "count batch n channels"]:
    count, batch, n, channels = draw.shape
    real = torch.full((batch,), n, device=draw.device) if mask is None else mask.sum(dim=1)
    freedom = degrees_of_freedom(real, dimension) + real * (channels - dimension)
    if count > int(freedom.min()):
        raise StateError(
            f"{count} orthonormal probes for {int(freedom.min())} degrees of freedom: "
            "take at most as many, which is exact"
        )
    x, h = draw.split((dimension, channels - dimension), dim=-1)
    inside = torch.cat((centred(x, mask), h), dim=-1).flatten(2).permute(1, 2, 0)
    frame, _ = torch.linalg.qr(inside)
    scale = (freedom / count).sqrt().to(draw.dtype)
    found: Tensor = (frame * scale.reshape(-1, 1, 1)).permute(2, 0, 1)
    return found.reshape(draw.shape)


def _masked(draw: Tensor, mask: Tensor | None) -> Tensor:
    return draw if mask is None else draw * mask.unsqueeze(-1)


def hutchinson_divergence(
    dynamics: Dynamics,
    t: Float[Tensor, " batch"],
    s: Float[Tensor, "batch n channels"],
    probes: Float[Tensor, "count batch n channels"],
    mask: Float[Tensor, "batch n"] | None = None,
) -> tuple[
    Float[Tensor, "batch n channels"],
    Float[Tensor, "batch count"],
    Float[Tensor, "count batch n channels"],
]:
    """v, every probe's term p^T J p, and J p for regularisers of the Jacobian's norm."""
    values, change = dynamics.tangents(t, s, probes, mask)
    return values, (probes * change).sum(dim=(2, 3)).T, change
