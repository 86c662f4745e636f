"""Training of the joint flow: flow matching on lifted features, and the likelihood bound."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_enflow.alignment import assign_features, rotation
from intertwiner_enflow.density.prior import sample_prior
from intertwiner_enflow.discrete.dequantizer import masked_noise
from intertwiner_enflow.dynamics.egnn import centred
from intertwiner_enflow.joint import JointFlow
from intertwiner_enflow.losses.likelihood import LikelihoodSettings, draw_solver

__all__ = ["joint_flow_matching_loss", "joint_negative_log_likelihood"]


def joint_flow_matching_loss(
    flow: JointFlow,
    x: Float[Tensor, "batch n dim"],
    z: Int[Tensor, "batch n"],
    mask: Float[Tensor, "batch n"],
    *,
    aligned: bool = True,
    generator: torch.Generator | None = None,
) -> Float[Tensor, ""]:
    """Straight paths of positions and lifted features together, per molecule.

    Features are drawn from the fixed distribution and scaled by the (frozen) statistics of the
    data; rows of the noise are assigned by position and feature together, and its positions
    then turned to the data's.
    """
    x = centred(x, mask)
    with torch.no_grad():
        lifted = flow.lifted(x, z, mask, fixed=True, generator=generator)
        data_x, data_h, _ = flow.actnorm(x, lifted.v, mask)
        shape = (x.shape[0], x.shape[1], x.shape[2])
        noise_x = sample_prior(shape, mask, generator, x.dtype, x.device)
        noise_h = masked_noise(data_h, mask, generator)
        if aligned:
            noise_x, noise_h = _aligned(data_x, data_h, noise_x, noise_h, mask)
    start = torch.cat((data_x, data_h), dim=-1)
    velocity = torch.cat((noise_x, noise_h), dim=-1) - start
    t = torch.rand(len(x), generator=generator, dtype=x.dtype, device=x.device)
    there = torch.addcmul(start, velocity, t.reshape(-1, 1, 1))
    error = flow.dynamics(t, there, mask) - velocity
    return error.square().sum() / len(x)


def _aligned(
    x: Tensor, h: Tensor, noise_x: Tensor, noise_h: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    order = assign_features(x, noise_x, h, noise_h, mask).unsqueeze(-1)
    noise_x = noise_x.gather(1, order.expand_as(noise_x))
    noise_h = noise_h.gather(1, order.expand_as(noise_h))
    return noise_x @ rotation(x, noise_x), noise_h


def joint_negative_log_likelihood(
    flow: JointFlow,
    x: Float[Tensor, "batch n dim"],
    z: Int[Tensor, "batch n"],
    mask: Float[Tensor, "batch n"],
    settings: LikelihoodSettings,
    generator: torch.Generator | None = None,
) -> Float[Tensor, ""]:
    """Minus the mean bound of log p, plus the regulariser where one is set."""
    found = flow.density(
        x,
        z,
        mask,
        settings.divergence,
        probes=settings.probes,
        probe_kind=settings.probe_kind,
        regularised=settings.regulariser > 0,
        solver=draw_solver(settings, generator, checkpointed=not flow.dynamics.is_compact(x)),
        generator=generator,
    )
    loss = -found.log_prob.mean()
    if found.regulariser is not None:
        loss = loss + settings.regulariser * found.regulariser.mean()
    return loss
