"""Virtual adversarial loss: how far the worst small perturbation moves the predictions.

Miyato et al. 2018 (arXiv:1704.03976) with one step of power iteration. The direction is a constant,
so nothing is differentiated twice.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch_geometric.data import Batch

from intertwiner.training.objective import Objective
from intertwiner_fedchem.objectives.inputs import Inputs, unit_rows
from intertwiner_fedchem.objectives.records import RecordLosses, divergences

__all__ = ["adversarial_losses", "worst_direction"]


def adversarial_losses(
    objective: Objective,
    inputs: Inputs,
    rows: tuple[Tensor, ...],
    batch: Batch,
    clean: Mapping[str, Tensor],
    draws: tuple[Tensor, ...],
    *,
    xi: float,
    epsilon: float,
) -> RecordLosses:
    """Divergence of the predictions at z + epsilon r from `clean` ones, record by record.

    rows: z, as `inputs` gives it. draws: one number for every input, from which the direction r is
    found. clean: the detached predictions at z. Gradients flow to the parameters through the last
    pass alone.
    """
    direction = worst_direction(objective, inputs, rows, batch, clean, draws, xi)
    moved = tuple(row + epsilon * step for row, step in zip(rows, direction, strict=True))
    return divergences(objective, inputs.outputs(moved, batch), clean, batch)


def worst_direction(
    objective: Objective,
    inputs: Inputs,
    rows: tuple[Tensor, ...],
    batch: Batch,
    clean: Mapping[str, Tensor],
    draws: tuple[Tensor, ...],
    xi: float,
) -> tuple[Tensor, ...]:
    """The gradient of the mean divergence at z + xi d in d, every row at unit length, where d are
    the draws at unit length.
    """
    trial = tuple(step.requires_grad_() for step in unit_rows(draws))
    with torch.enable_grad():
        moved = tuple(row + xi * step for row, step in zip(rows, trial, strict=True))
        found = divergences(objective, inputs.outputs(moved, batch), clean, batch)
        gradients = torch.autograd.grad(found.values.mean(), trial)
    return unit_rows(gradients)


def draw(rows: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
    """Numbers between -1/2 and 1/2 in the shape of `rows`."""
    return tuple(
        torch.rand(row.shape, generator=generator, dtype=row.dtype).to(row.device) - 0.5
        for row in rows
    )
