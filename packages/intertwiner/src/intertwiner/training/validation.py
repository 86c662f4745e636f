"""Errors and figures over a whole part of the data, summed over all processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.errors import ConfigError
from intertwiner.fields import Field, Label
from intertwiner.schema import Schema
from intertwiner.training.figures import figure_fields, figures_of, mean_and_error, sums_of
from intertwiner.training.objective import MISSING_CLASS, Objective, prediction_of

__all__ = ["selection_column", "validate"]


def validate(
    objective: Objective, model: nn.Module, batches: Iterable[Batch], fabric: Fabric | None = None
) -> dict[str, float]:
    """`validation/loss`, per target the mean absolute error per component with its unit, and the
    mean of each of the model's own figures with its standard error.

    model: the weights to validate, which may be an average of the objective's own.
    fabric: adds up several processes.
    """
    schema, figures = objective.schema, figure_fields(model)
    losses = torch.zeros(2, dtype=torch.float64)
    errors = torch.zeros(len(schema.targets), 2, dtype=torch.float64)
    sums = torch.zeros(len(figures), 3, dtype=torch.float64)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for batch in batches:
            predictions = model(batch) if schema.targets else None
            loss = objective.loss_of(model, batch, predictions)
            losses += torch.tensor([float(loss) * batch.num_graphs, batch.num_graphs])
            if predictions is not None:
                errors += _absolute_errors(predictions, schema, batch)
            for row, values in zip(sums, figures_of(model, batch).values(), strict=True):
                row += sums_of(values).cpu()
    model.train(was_training)
    losses, errors, sums = (_total(fabric, each) for each in (losses, errors, sums))
    found = {"validation/loss": float(losses[0] / losses[1].clamp(min=1))}
    for field, (error, count) in zip(schema.targets, errors.tolist(), strict=True):
        found[_column(field, _kind_of_error(field))] = error / max(count, 1)
    for field, row in zip(figures, sums, strict=True):
        found[_column(field)], found[_column(field, "/error")] = mean_and_error(row)
    return found


def selection_column(model: nn.Module, schema: Schema, chosen: str) -> str:
    """The column of which the kept weights have the lowest value.

    chosen: "loss", a target, or a figure of the model; empty for the model's first figure and,
    where it has none, the loss. Raises `ConfigError` for another name.
    """
    figures = figure_fields(model)
    columns = {"loss": "validation/loss"}
    columns |= {field.name: _column(field, _kind_of_error(field)) for field in schema.targets}
    columns |= {field.name: _column(field) for field in figures}
    name = chosen or (figures[0].name if figures else "loss")
    if name not in columns:
        known = ", ".join(columns)
        raise ConfigError(f"training.select_by: {name!r} is not validated; there are: {known}")
    return columns[name]


def _column(field: Field, what: str = "") -> str:
    unit = f" [{field.unit}]" if field.unit else ""
    return f"validation/{field.name}{what}{unit}"


def _kind_of_error(field: Field) -> str:
    return "/error_rate" if isinstance(field.rep, Label) else "/mae"


def _absolute_errors(
    predictions: Mapping[str, Tensor], schema: Schema, batch: Batch
) -> Float[Tensor, "targets 2"]:
    """Sum of absolute errors and number of labels, a row per target."""
    rows = []
    for field in schema.targets:
        truth = batch[field.name]
        predicted = prediction_of(field, predictions, truth)
        if isinstance(field.rep, Label):
            known = truth != MISSING_CLASS
            wrong = (predicted.argmax(dim=-1) != truth) & known
            rows.append([float(wrong.sum()), int(known.sum())])
            continue
        known = torch.isfinite(truth)
        rows.append([float((predicted - truth)[known].abs().sum()), int(known.sum())])
    return torch.tensor(rows, dtype=torch.float64)


def _total(fabric: Fabric | None, sums: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    if fabric is None or fabric.world_size == 1:
        return sums
    total: Tensor = fabric.all_reduce(sums.to(fabric.device), reduce_op="sum").cpu()
    return total
