"""Figures a model gives of itself: one number for every record, such as a log-likelihood.

A model of a density has no targets to be compared with. What it says of each record is its
`record_figures(batch)`, a dictionary of tensors `[graphs]`, in evaluation mode always the same
for the same record. `figure_units`, a mapping of the figures' names to their units, may stand on
the model; without it the one figure is the negative log-likelihood "nll" in nats. Lower is better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.errors import RunError
from intertwiner.fields import GRAPH, Field, Scalar

__all__ = ["figure_fields", "figures_of", "mean_and_error"]

USUAL_UNITS: Final[Mapping[str, str]] = {"nll": "nats"}


def figure_fields(model: nn.Module) -> tuple[Field, ...]:
    """The figures that `model` gives of a record, with units; none without `record_figures`."""
    if not hasattr(model, "record_figures"):
        return ()
    units: Mapping[str, str] = getattr(model, "figure_units", USUAL_UNITS)
    return tuple(Field(name, GRAPH, Scalar(), unit) for name, unit in units.items())


def figures_of(model: nn.Module, batch: Batch) -> dict[str, Float[Tensor, " graphs"]]:
    """The model's figures for every record of the batch, in the order of `figure_fields`.

    Raises `RunError` when a figure is missing, unknown, or not one number per record.
    """
    names = [field.name for field in figure_fields(model)]
    give: Callable[[Batch], dict[str, Tensor]] = getattr(model, "record_figures", lambda _: {})
    given = give(batch)
    if set(given) != set(names):
        raise RunError(
            f"record_figures gave {sorted(given)}, declared are {sorted(names)}: list every figure "
            "with its unit in the model's figure_units"
        )
    for name, values in given.items():
        if values.shape != (batch.num_graphs,):
            raise RunError(
                f"record_figures: {name!r} has shape {tuple(values.shape)}, must be "
                f"({batch.num_graphs},): one number for every record"
            )
    return {name: given[name].detach() for name in names}


def mean_and_error(sums: Float[Tensor, " 3"]) -> tuple[float, float]:
    """Mean and its standard error from (count, sum, sum of squares); the error of one is NaN."""
    count, total, squares = sums.tolist()
    if not count:
        return float("nan"), float("nan")
    mean = total / count
    if count < 2:
        return mean, float("nan")
    variance = max(squares / count - mean**2, 0.0) * count / (count - 1)
    return mean, (variance / count) ** 0.5


def sums_of(values: Float[Tensor, " records"]) -> Float[Tensor, " 3"]:
    """(count, sum, sum of squares), what `mean_and_error` takes; sums of parts may be added."""
    wide = values.double()
    return torch.stack([wide.new_tensor(len(wide)), wide.sum(), wide.square().sum()])
