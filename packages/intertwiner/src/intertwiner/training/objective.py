"""What is minimised: a model's own loss, or the squared error of every target in its own unit.

For a target t with labels y and predictions f, over the labels that are there,

    loss = sum_t w_t mean((f_t - y_t)^2) / s_t^2 / sum_t w_t,

with s_t the spread of the target over the training records (standard deviation of a scalar, root
mean square of a vector or tensor), so that targets of different units weigh alike. A `Label`
target has the cross entropy in place of the squared error.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from intertwiner.errors import ConfigError, DataError, RunError
from intertwiner.fields import Field, Label, Scalar
from intertwiner.schema import Schema

__all__ = ["MISSING_CLASS", "Objective", "target_spreads"]

MISSING_CLASS: Final = -100
"""The class of a record without a label, which counts neither in losses nor in errors."""


class Objective(nn.Module):
    """The loss of one batch, as a module, so that distributed wrappers see one forward call.

    model: called with the batch, gives a dictionary of tensors by target name; a method
        `training_loss(batch)` of its own takes the place of the loss above, and is needed where
        there is no target; `training_loss(batch, predictions=None)` is given the outputs where
        they are known already. A mapping `target_spreads` of its own overrides the spreads of
        the data.

    Raises `ConfigError` when there is neither a target nor a loss of the model's own.
    """

    def __init__(
        self,
        model: nn.Module,
        schema: Schema,
        spreads: Mapping[str, float],
        weights: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        if not schema.targets and not hasattr(model, "training_loss"):
            raise ConfigError(
                f"{type(model).__name__} has no target here and no training_loss(batch): there is "
                "nothing to learn; name a target with --data.targets"
            )
        self.model = model
        self.schema = schema
        self.spreads = {**spreads, **getattr(model, "target_spreads", {})}
        self.weights = {
            field.name: (weights or {}).get(field.name, 1.0) for field in schema.targets
        }

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        return self.loss_of(self.model, batch)

    def loss_of(
        self, model: nn.Module, batch: Batch, predictions: Mapping[str, Tensor] | None = None
    ) -> Float[Tensor, ""]:
        """The loss of `model`, which may be an average of the objective's own.

        predictions: what `model` gives for the batch, where that is known already.
        """
        own_loss = getattr(model, "training_loss", None)
        if own_loss is None:
            return self.compare(model(batch) if predictions is None else predictions, batch)
        taken = predictions is not None and "predictions" in inspect.signature(own_loss).parameters
        loss: Tensor = own_loss(batch, predictions=predictions) if taken else own_loss(batch)
        return loss

    def compare(self, predictions: Mapping[str, Tensor], batch: Batch) -> Float[Tensor, ""]:
        """The loss of given predictions against the labels of the batch."""
        terms = [
            self.weights[field.name] * self._term(field, predictions, batch)
            for field in self.schema.targets
        ]
        return torch.stack(terms).sum() / sum(self.weights.values())

    def _term(
        self, field: Field, predictions: Mapping[str, Tensor], batch: Batch
    ) -> Float[Tensor, ""]:
        truth = batch[field.name]
        predicted = prediction_of(field, predictions, truth)
        if isinstance(field.rep, Label):
            summed = nn.functional.cross_entropy(predicted, truth, reduction="sum")
            return summed / (truth != MISSING_CLASS).sum().clamp(min=1)
        known = torch.isfinite(truth)
        error = torch.where(known, predicted - truth, torch.zeros_like(predicted))
        return error.square().sum() / known.sum().clamp(min=1) / self.spreads[field.name] ** 2


def prediction_of(field: Field, predictions: Mapping[str, Tensor], truth: Tensor) -> Tensor:
    """The model's tensor for `field`. Raises `RunError` when it is missing or misshaped."""
    if field.name not in predictions:
        raise RunError(f"the model gave {sorted(predictions)} but not the target {field.name!r}")
    predicted = predictions[field.name]
    if not isinstance(field.rep, Label) and predicted.shape != truth.shape:
        raise RunError(
            f"{field.name}: the model gave shape {tuple(predicted.shape)}, "
            f"the labels have {tuple(truth.shape)}"
        )
    return predicted


def target_spreads(records: Iterable[Data], schema: Schema) -> dict[str, float]:
    """The spread s_t of every target over `records`, missing labels left out; 1 for a class.

    Raises `DataError` when a target has no label at all.
    """
    measured = [field for field in schema.targets if not isinstance(field.rep, Label)]
    columns: dict[str, list[Tensor]] = {field.name: [] for field in measured}
    for record in records if measured else ():  # records may be made on demand
        for name, column in columns.items():
            column.append(record[name].reshape(-1))
    spreads = {field.name: _spread(field, torch.cat(columns[field.name])) for field in measured}
    return {field.name: spreads.get(field.name, 1.0) for field in schema.targets}


def _spread(field: Field, values: Tensor) -> float:
    values = values.double()
    values = values[torch.isfinite(values)]
    if not len(values):
        raise DataError(f"target {field.name!r}: no training record has a label")
    centre = values.mean() if isinstance(field.rep, Scalar) else torch.zeros(())
    return float((values - centre).square().mean().sqrt()) or 1.0
