"""A model of a density under test: what it says of each record stands for its outputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.conformance.findings import Finding, Refuted
from intertwiner.fields import Field
from intertwiner.specs import ModelSpec
from intertwiner.training.figures import figure_fields, figures_of

__all__ = ["FiguresModule", "is_density", "stated_figures"]


def is_density(spec: ModelSpec) -> bool:
    """Whether the model learns a density: no outputs to be compared with targets."""
    return "density" in spec.tasks and not spec.outputs


class FiguresModule(nn.Module):
    """`model` with its figures of each record, found as in validation, in place of outputs."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def prepare(self, batches: list[Batch]) -> None:
        prepare = getattr(self.model, "prepare", None)
        if prepare is not None:
            prepare(batches)

    def training_loss(self, batch: Batch) -> Tensor:
        loss: Tensor = self.model.training_loss(batch)  # type: ignore[operator]
        return loss

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        with torch.no_grad():
            return figures_of(self.model, batch)


def stated_figures(module: nn.Module) -> tuple[Field, ...]:
    """The figures as target fields. Raises `Refuted` for a density without loss or figures."""
    model = module.model if isinstance(module, FiguresModule) else module
    if not hasattr(model, "training_loss"):
        what = "a model of a density learns by a loss of its own and brings none"
        raise Refuted(Finding("training_loss", what, hint="add training_loss(batch)"))
    fields = figure_fields(model)
    if not fields:
        what = "says nothing of a record, so that neither training nor this kit can judge it"
        hint = "add record_figures(batch), such as the negative log-likelihood 'nll' in nats"
        raise Refuted(Finding("record_figures", what, hint=hint))
    return fields
