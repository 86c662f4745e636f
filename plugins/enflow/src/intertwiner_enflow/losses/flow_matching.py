"""Flow matching: the velocity of straight paths from data to prior, without integrating.

L = mean |v(t, x_t) - (z - x)|^2 with x_t = (1 - t) x + t z, t uniform, z from the prior (Lipman
et al. 2023, arXiv:2210.02747). For equivariant velocities z is first moved to the image nearest
to x (Klein, Krämer, Noé 2023, arXiv:2306.15030), which straightens the paths and leaves the law
of the orbits as it was.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.alignment import align
from intertwiner_enflow.density.prior import sample_prior
from intertwiner_enflow.dynamics.base import Dynamics
from intertwiner_enflow.errors import StateError

__all__ = ["flow_matching_loss", "match_paths", "noise_for"]


def noise_for(
    x: Float[Tensor, "batch n dim"],
    *,
    aligned: bool = True,
    rounds: int = 1,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "batch n dim"]:
    """One draw of the prior for every (centred) configuration, moved along its orbit to it."""
    shape = (x.shape[0], x.shape[1], x.shape[2])
    z = sample_prior(shape, None, generator, x.dtype, x.device)
    return align(x, z, rounds) if aligned else z


def match_paths(
    dynamics: Dynamics,
    x: Float[Tensor, "batch n dim"],
    z: Float[Tensor, "batch n dim"],
    t: Float[Tensor, " batch"],
) -> Float[Tensor, ""]:
    """The loss for given pairs and times: summed over coordinates, averaged over the batch."""
    velocity = z - x
    there = torch.addcmul(x, velocity, t.reshape(-1, 1, 1))
    error = dynamics(t, there) - velocity
    return error.square().sum() / len(x)


def flow_matching_loss(
    dynamics: Dynamics,
    x: Float[Tensor, "batch n dim"],
    *,
    aligned: bool = True,
    rounds: int = 1,
    generator: torch.Generator | None = None,
) -> Float[Tensor, ""]:
    """The loss of one batch of centred configurations.

    Raises `StateError` for aligned pairs with a velocity that is not equivariant: they would
    teach it another distribution.
    """
    check_alignment(dynamics, aligned)
    z = noise_for(x, aligned=aligned, rounds=rounds, generator=generator)
    t = torch.rand(len(x), generator=generator, dtype=x.dtype, device=x.device)
    return match_paths(dynamics, x, z, t)


def check_alignment(dynamics: Dynamics, aligned: bool) -> None:
    """Raises `StateError` when pairs are aligned for a velocity that is not equivariant."""
    if aligned and not dynamics.equivariant:
        raise StateError(
            f"{type(dynamics).__name__} is not equivariant: pairs aligned by rotation and "
            "permutation are only valid for equivariant velocities; set align to false"
        )
