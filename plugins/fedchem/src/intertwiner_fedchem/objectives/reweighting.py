"""FLIT's factor: records that are uncertain here, or known better elsewhere, weigh more.

With l the loss of a record, g that of the frozen global model, v and v_g their adversarial losses,

    w = l + relu(l - g) + lambda (v + relu(v - v_g)),   phi = (1 - exp(-w / D) + 1e-7)^gamma,
    L = mean(phi (l + beta v)),

per target, where D is a running mean of w (Zhu, Luo, White 2022, arXiv:2109.07258, in the form of
their released code: gradients flow through phi, and D counts the batch at hand).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_fedchem.objectives.records import weighted_mean

__all__ = ["RunningMean", "excess", "factor"]

FLOOR = 1e-7
KEPT = 0.8


class RunningMean:
    """D: the mean of the first batch of a round, then 0.8 D + 0.2 mean; forgotten after the round.

    A target without a label in a batch keeps its D.
    """

    def __init__(self) -> None:
        self.value: Tensor | None = None

    def update(
        self, values: Float[Tensor, "graphs targets"], counts: Float[Tensor, "graphs targets"]
    ) -> Float[Tensor, " targets"]:
        """D with this batch in it, detached."""
        mean = weighted_mean(values.detach(), counts)
        seen = counts.sum(0) > 0
        if self.value is None:
            self.value = torch.where(seen, mean, torch.full_like(mean, torch.nan))
        else:
            old = torch.where(self.value.isnan(), mean, KEPT * self.value + (1 - KEPT) * mean)
            self.value = torch.where(seen, old, self.value)
        return torch.where(self.value.isnan(), torch.ones_like(mean), self.value)


def excess(
    local: Float[Tensor, "graphs targets"], reference: Float[Tensor, "graphs targets"] | None
) -> Float[Tensor, "graphs targets"]:
    """l + relu(l - g); l alone without a reference."""
    return local if reference is None else local + torch.relu(local - reference)


def factor(
    w: Float[Tensor, "graphs targets"], mean: Float[Tensor, " targets"], gamma: float
) -> Float[Tensor, "graphs targets"]:
    """phi, with gradients through w."""
    return (FLOOR - torch.expm1(-w / (mean + FLOOR))).pow(gamma)
