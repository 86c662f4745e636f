"""The loss of energies and forces together."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Batch

__all__ = ["energy_force_loss"]


def energy_force_loss(
    predicted: Mapping[str, Tensor], batch: Batch, energy_weight: float, force_weight: float
) -> Float[Tensor, ""]:
    """w_E mean (dE/n)^2 + w_F mean |dF|^2/3 with n atoms a molecule, labels that are NaN left out.

    Energies in eV and forces in eV/angstrom, or another pair of units that fits.
    """
    counts = torch.diff(batch.ptr).clamp(min=1).to(batch.pos)
    energy = _mean_square((predicted["energy"] - batch.energy) / counts)
    forces = _mean_square(predicted["forces"] - batch.forces)
    return energy_weight * energy + force_weight * forces


def _mean_square(error: Float[Tensor, "*shape"]) -> Float[Tensor, ""]:
    known = torch.isfinite(error)
    kept = torch.where(known, error, torch.zeros_like(error))
    return kept.square().sum() / known.sum().clamp(min=1)
