"""Errors over a whole part of the data, summed over all processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.fields import Field, Label
from intertwiner.schema import Schema
from intertwiner.training.objective import Objective, prediction_of

__all__ = ["validate"]


def validate(
    objective: Objective, model: nn.Module, batches: Iterable[Batch], fabric: Fabric
) -> dict[str, float]:
    """`validation/loss`, and per target the mean absolute error per component with its unit.

    model: the weights to validate, which may be an average of the objective's own.
    """
    schema = objective.schema
    own_loss = getattr(model, "training_loss", None)
    losses = torch.zeros(2, dtype=torch.float64)
    sums = torch.zeros(len(schema.targets), 2, dtype=torch.float64)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for batch in batches:
            predictions = model(batch) if schema.targets else {}
            loss = own_loss(batch) if own_loss else objective.compare(predictions, batch)
            losses += torch.tensor([float(loss) * batch.num_graphs, batch.num_graphs])
            if schema.targets:
                sums += _absolute_errors(predictions, schema, batch)
    model.train(was_training)
    losses, sums = _total(fabric, losses), _total(fabric, sums)
    return {"validation/loss": float(losses[0] / losses[1].clamp(min=1))} | {
        _column(field): error / max(count, 1)
        for field, (error, count) in zip(schema.targets, sums.tolist(), strict=True)
    }


def _column(field: Field) -> str:
    unit = f" [{field.unit}]" if field.unit else ""
    name = "error_rate" if isinstance(field.rep, Label) else "mae"
    return f"validation/{field.name}/{name}{unit}"


def _absolute_errors(
    predictions: Mapping[str, Tensor], schema: Schema, batch: Batch
) -> Float[Tensor, "targets 2"]:
    """Sum of absolute errors and number of labels, a row per target."""
    rows = []
    for field in schema.targets:
        truth = batch[field.name]
        predicted = prediction_of(field, predictions, truth)
        if isinstance(field.rep, Label):
            wrong = predicted.argmax(dim=-1) != truth
            rows.append([float(wrong.sum()), truth.numel()])
            continue
        known = torch.isfinite(truth)
        rows.append([float((predicted - truth)[known].abs().sum()), int(known.sum())])
    return torch.tensor(rows, dtype=torch.float64)


def _total(fabric: Fabric, sums: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    if fabric.world_size == 1:
        return sums
    total: Tensor = fabric.all_reduce(sums.to(fabric.device), reduce_op="sum").cpu()
    return total
