"""The loss of every record and target, before anything is averaged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.errors import ConfigError
from intertwiner.fields import GRAPH, Field, Label
from intertwiner.training.objective import MISSING_CLASS, Objective, prediction_of

__all__ = ["RecordLosses", "divergences", "record_losses", "scales", "weighted_mean"]


class RecordLosses(NamedTuple):
    """values [graphs, targets]: mean over the items of each record, 0 where no label is.
    counts [graphs, targets]: how many items have a label; 1 or 0 of a scalar of the graph.
    """

    values: Float[Tensor, "graphs targets"]
    counts: Float[Tensor, "graphs targets"]


def record_losses(
    objective: Objective, predictions: Mapping[str, Tensor], batch: Batch
) -> RecordLosses:
    """Squared errors in the squared units of the targets, cross entropies of labels.

    A model with a `training_loss` of its own must have `record_losses(predictions, batch)`.
    Raises `ConfigError` where it has not.
    """
    own = getattr(objective.model, "record_losses", None)
    if own is not None:
        return RecordLosses(*own(predictions, batch))
    if hasattr(objective.model, "training_loss"):
        raise ConfigError(
            f"{type(objective.model).__name__} has a loss of its own and no record_losses("
            "predictions, batch), so records cannot be weighed; use fedavg, fedprox or moon"
        )

    def of_target(field: Field) -> tuple[Tensor, Tensor]:
        truth = batch[field.name]
        predicted = prediction_of(field, predictions, truth)
        if isinstance(field.rep, Label):
            return _cross_entropy(predicted, truth), truth != MISSING_CLASS
        known = torch.isfinite(truth)
        return torch.where(known, predicted - truth, 0.0 * predicted).square(), known

    return _by_record(objective, batch, of_target)


def divergences(
    objective: Objective,
    predictions: Mapping[str, Tensor],
    clean: Mapping[str, Tensor],
    batch: Batch,
) -> RecordLosses:
    """How far predictions are from `clean` ones: squared differences, and of labels the
    Kullback-Leibler divergence of their probabilities, in nats.
    """

    def of_target(field: Field) -> tuple[Tensor, Tensor]:
        given, wanted = predictions[field.name], clean[field.name]
        if not isinstance(field.rep, Label):
            return (given - wanted).square(), torch.ones_like(given, dtype=torch.bool)
        logs = given.log_softmax(-1), wanted.log_softmax(-1)
        values = (logs[1].exp() * (logs[1] - logs[0])).sum(-1)
        return values, torch.ones_like(values, dtype=torch.bool)

    return _by_record(objective, batch, of_target)


def _cross_entropy(predicted: Tensor, truth: Tensor) -> Tensor:
    return nn.functional.cross_entropy(
        predicted, truth, reduction="none", ignore_index=MISSING_CLASS
    )


def _by_record(
    objective: Objective, batch: Batch, of_target: Callable[[Field], tuple[Tensor, Tensor]]
) -> RecordLosses:
    values, counts = [], []
    for field in objective.schema.targets:
        losses, known = of_target(field)
        graphs = None if field.site == GRAPH else _graph_of_item(field, batch, len(losses))
        columns = _summed(losses, graphs, batch.num_graphs)
        number = _summed(known.to(losses.dtype), graphs, batch.num_graphs)
        values.append(columns / number.clamp(min=1))
        counts.append(number)
    return RecordLosses(torch.stack(values, 1), torch.stack(counts, 1))


def _graph_of_item(field: Field, batch: Batch, items: int) -> Int[Tensor, " items"]:
    """The record of every node or vertex. Raises `ConfigError` for other sites."""
    if items != len(batch.batch):
        raise ConfigError(f"target {field}: only targets of records and of nodes can be weighed")
    graphs: Tensor = batch.batch
    return graphs


def _summed(
    values: Float[Tensor, "items ..."], graphs: Int[Tensor, " items"] | None, count: int
) -> Float[Tensor, " graphs"]:
    """Sums over components, and over the items of each record."""
    rows = values.reshape(len(values), -1).sum(1)
    return rows if graphs is None else rows.new_zeros(count).index_add(0, graphs, rows)


def scales(
    objective: Objective, like: Float[Tensor, "graphs targets"]
) -> Float[Tensor, " targets"]:
    """What the usual loss multiplies the mean of every target with: weight / spread^2 / sum of
    weights, so that targets of different units weigh alike. 1 / targets for losses of a model's
    own.
    """
    targets = objective.schema.targets
    if len(targets) != like.shape[1]:
        return like.new_full((like.shape[1],), 1 / like.shape[1])
    total = sum(objective.weights.values())
    weights = [objective.weights[t.name] / objective.spreads[t.name] ** 2 / total for t in targets]
    return like.new_tensor(weights)


def weighted_mean(
    values: Float[Tensor, "graphs targets"], counts: Float[Tensor, "graphs targets"]
) -> Float[Tensor, " targets"]:
    """Mean over the items that have a label; 0 for a target without any."""
    return (values * counts).sum(0) / counts.sum(0).clamp(min=1)
