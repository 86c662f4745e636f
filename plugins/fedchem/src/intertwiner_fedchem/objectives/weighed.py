"""The losses of FLIT's family in a client: FedFocal, FedVAT, FLIT and FLIT+."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch_geometric.data import Batch

from intertwiner.federated.client import ClientContext
from intertwiner_fedchem.objectives.adversarial import adversarial_losses, draw
from intertwiner_fedchem.objectives.inputs import Inputs, detached, inputs_of
from intertwiner_fedchem.objectives.records import record_losses, scales, weighted_mean
from intertwiner_fedchem.objectives.reweighting import RunningMean, excess, factor
from intertwiner_fedchem.objectives.sweep import sweep

__all__ = ["WeighedLoss", "Weighing"]


@dataclass(frozen=True, kw_only=True)
class Weighing:
    """Which of the terms of `reweighting` a method has.

    compares: with the global model. smoothness, adversarial: lambda and beta. xi, epsilon: of the
    adversarial loss. warm_up: rounds at the start that are plain.
    """

    gamma: float
    compares: bool
    warm_up: int
    smoothness: float = 0.0
    adversarial: float = 0.0
    xi: float = 1e-3
    epsilon: float | None = None

    @property
    def perturbs(self) -> bool:
        return bool(self.adversarial or (self.smoothness and self.gamma))


class WeighedLoss:
    """The loss of a batch for one client and round. With gamma = 0 and nothing adversarial it is
    the usual loss, to the bit.

    Where the method compares, the global model is asked about every record of the client once,
    before the first step.
    """

    def __init__(self, weighing: Weighing, context: ClientContext) -> None:
        self.weighing, self.context = weighing, context
        self.mean = RunningMean()
        self.generator = torch.Generator().manual_seed(context.seed)
        self.figures: list[Tensor] = []
        self.plain = context.round < weighing.warm_up or not (weighing.gamma or weighing.perturbs)
        self.inputs: Inputs | None = None
        if weighing.perturbs:
            self.inputs = inputs_of(context.model, context.objective.schema)
        compared = weighing.compares and weighing.gamma and not self.plain
        self.known = sweep(context, self._measure) if compared else None

    def __call__(self, batch: Batch) -> Tensor:
        if self.plain:
            return self.context.objective(batch)
        objective = self.context.objective
        predictions = self.context.model(batch)
        losses = record_losses(objective, predictions, batch)
        rough = self._adversarial(batch, detached(predictions)) if self.inputs else None
        phi = self._factor(batch, losses.values, rough, losses.counts)
        values = losses.values
        if rough is not None and self.weighing.adversarial:
            values = values + self.weighing.adversarial * rough
        return weighted_mean(phi * values, losses.counts) @ scales(objective, values)

    def _factor(self, batch: Batch, local: Tensor, rough: Tensor | None, counts: Tensor) -> Tensor:
        """phi of every record and target."""
        if not self.weighing.gamma:
            return torch.ones_like(local)
        given = (
            [None, None] if self.known is None else [k[batch.record_numbers] for k in self.known]
        )
        w = excess(local, given[0])
        if rough is not None and self.weighing.smoothness:
            w = w + self.weighing.smoothness * excess(rough, given[-1] if self.known else None)
        phi = factor(w, self.mean.update(w, counts), self.weighing.gamma)
        behind = local > given[0] if given[0] is not None else torch.zeros_like(local)
        self._remember_figures(phi.detach(), behind.to(phi.dtype), counts)
        return phi

    def _measure(self, batch: Batch) -> tuple[Tensor, ...]:
        """g, and v_g where the method perturbs, of the model as it is now."""
        objective = self.context.objective
        predictions = self.context.model(batch)
        losses = record_losses(objective, predictions, batch).values
        if self.inputs is None:
            return (losses,)
        return losses, self._adversarial(batch, detached(predictions))

    def _adversarial(self, batch: Batch, clean: dict[str, Tensor]) -> Tensor:
        assert self.inputs is not None
        epsilon, rows = self.weighing.epsilon, self.inputs.rows(batch)
        found = adversarial_losses(
            self.context.objective,
            self.inputs,
            rows,
            batch,
            clean,
            draw(rows, self.generator),
            xi=self.weighing.xi,
            epsilon=self.inputs.epsilon if epsilon is None else epsilon,
        )
        return found.values

    def _remember_figures(self, phi: Tensor, behind: Tensor, counts: Tensor) -> None:
        known = counts > 0
        if bool(known.any()):
            chosen = phi[known]
            kept = (chosen.mean(), chosen.amin(), chosen.amax(), behind[known].mean())
            self.figures.append(torch.stack(kept))

    def metrics(self) -> dict[str, float]:
        """The factor over the round, and the share of records on which the global model was
        better.
        """
        if not self.figures:
            return {}
        table = torch.stack(self.figures)
        return {
            "factor_mean": float(table[:, 0].mean()),
            "factor_min": float(table[:, 1].min()),
            "factor_max": float(table[:, 2].max()),
            "behind_global": float(table[:, 3].mean()),
        }
