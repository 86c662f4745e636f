"""Errors of predictions, in the unit of the target, with their uncertainty.

The uncertainty is the bootstrap over records: the standard deviation of the mean error under
resampling of the test records, which says how much the figure owes to the choice of records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner.errors import DataError
from intertwiner.fields import GRAPH, Field, Label, Scalar
from intertwiner.training.objective import MISSING_CLASS

__all__ = ["Metric", "average", "control", "evaluate_target"]

BOOTSTRAP_SAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure over `records` records. `error`: its bootstrap standard deviation, and the
    standard error of what a model says of each record itself.
    """

    name: str
    value: float
    error: float
    unit: str
    records: int

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.value:.4g} ± {self.error:.1g}{unit}"


def evaluate_target(
    field: Field,
    predicted: Sequence[Tensor],
    truth: Sequence[Tensor],
    generator: torch.Generator | None = None,
) -> list[Metric]:
    """Mean absolute and root mean square error per component, and of a vector's length.

    A `Label` target has the share of records that are classified wrongly.
    predicted, truth: one tensor per record, any shape; missing labels (NaN) do not count.
    Raises `DataError` when no record has a label.
    """
    generator = generator or torch.Generator().manual_seed(0)
    pairs = list(zip(predicted, truth, strict=True))
    if isinstance(field.rep, Label):
        return [_mean(f"{field.name}/error_rate", _misses(field, pairs), generator, "")]
    unit = field.unit or ""
    known = _known(field, pairs)
    squared = _record_means([(p - t).square() for p, t in known])
    found = [
        _mean(
            f"{field.name}/mae", _record_means([(p - t).abs() for p, t in known]), generator, unit
        ),
        _root(f"{field.name}/rmse", squared, generator, unit),
    ]
    if field.rep.width == 3 and field.site == GRAPH:
        lengths = _record_means([(p.norm() - t.norm()).abs() for p, t in known])
        found.append(_mean(f"{field.name}/length_mae", lengths, generator, unit))
    return found


def average(field: Field, values: Float[Tensor, " records"]) -> Metric:
    """The mean of a figure that the model gives of every record, with its standard error."""
    wide = values.double()
    error = float(wide.std() / len(wide) ** 0.5)
    return Metric(field.name, float(wide.mean()), error, field.unit or "", len(wide))


def _known(field: Field, pairs: Sequence[tuple[Tensor, Tensor]]) -> list[tuple[Tensor, Tensor]]:
    """The predictions and labels, in double precision, where there is a label."""
    wide = [(p.double(), t.double()) for p, t in pairs]
    known = [(p[t.isfinite()], t[t.isfinite()]) for p, t in wide if bool(t.isfinite().any())]
    if not known:
        raise DataError(f"target {field.name!r}: no record has a label")
    return known


def _misses(field: Field, pairs: Sequence[tuple[Tensor, Tensor]]) -> Float[Tensor, " records"]:
    """The share of wrong classes in every record with a class; predictions are scores per class."""
    wrong = [(p.argmax(dim=-1) != t)[t != MISSING_CLASS].double() for p, t in pairs]
    known = [misses.mean() for misses in wrong if len(misses)]
    if not known:
        raise DataError(f"target {field.name!r}: no record has a label")
    return torch.stack(known)


def _record_means(errors: Sequence[Tensor]) -> Float[Tensor, " records"]:
    return torch.stack([error.mean() for error in errors])


def _mean(
    name: str, values: Float[Tensor, " records"], generator: torch.Generator, unit: str
) -> Metric:
    deviation = float(_resampled_means(values, generator).std())
    return Metric(name, float(values.mean()), deviation, unit, len(values))


def _resampled_means(
    values: Float[Tensor, " records"], generator: torch.Generator
) -> Float[Tensor, " samples"]:
    shape = (BOOTSTRAP_SAMPLES, len(values))
    chosen = torch.randint(len(values), shape, generator=generator)
    return values[chosen].mean(dim=1)


def _root(
    name: str, squared: Float[Tensor, " records"], generator: torch.Generator, unit: str
) -> Metric:
    spread = float(_resampled_means(squared, generator).sqrt().std())
    return Metric(name, float(squared.mean().sqrt()), spread, unit, len(squared))


def control(field: Field, training: Sequence[Tensor], truth: Sequence[Tensor]) -> Metric:
    """What a constant achieves: the training mean of a scalar, zero for anything with direction,
    the commonest class of a label.

    A model that does not clearly beat this has learned nothing.
    """
    flat = torch.cat([label.double().reshape(-1) for label in training])
    if isinstance(field.rep, Label):
        commonest = flat[flat != MISSING_CLASS].mode().values.long()
        scores = torch.nn.functional.one_hot(commonest, int(flat.max()) + 1)
        guesses = [scores.expand(len(label), -1) for label in truth]
        name = "error_rate of the commonest class"
    elif isinstance(field.rep, Scalar):
        mean = float(flat[flat.isfinite()].mean())
        guesses, name = (
            [torch.full_like(label, mean) for label in truth],
            "mae of the training mean",
        )
    else:
        guesses, name = [torch.zeros_like(label) for label in truth], "mae of zero"
    return replace(evaluate_target(field, guesses, truth)[0], name=f"{field.name}/{name}")
