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

from intertwiner.fields import Field, Scalar

__all__ = ["Metric", "control", "evaluate_target"]

BOOTSTRAP_SAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure: `error` is its bootstrap standard deviation, `records` how many it is over."""

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

    predicted, truth: one tensor per record, any shape; labels that are NaN do not count.
    """
    pairs = [(p.double(), t.double()) for p, t in zip(predicted, truth, strict=True)]
    kept = [(p, t) for p, t in pairs if bool(torch.isfinite(t).any())]
    absolute = _record_means([(p - t).abs() for p, t in kept])
    squared = _record_means([(p - t).square() for p, t in kept])
    generator = generator or torch.Generator().manual_seed(0)
    unit = field.unit or ""
    name = field.name
    found = [
        Metric(
            f"{name}/mae", float(absolute.mean()), _bootstrap(absolute, generator), unit, len(kept)
        ),
        _root(f"{name}/rmse", squared, generator, unit),
    ]
    if field.rep.width == 3 and field.site == "graph":
        lengths = _record_means([(p.norm() - t.norm()).abs() for p, t in kept])
        deviation = _bootstrap(lengths, generator)
        found.append(
            Metric(f"{name}/length_mae", float(lengths.mean()), deviation, unit, len(kept))
        )
    return found


def _record_means(errors: Sequence[Tensor]) -> Float[Tensor, " records"]:
    return torch.stack([error[torch.isfinite(error)].mean() for error in errors])


def _resampled_means(
    values: Float[Tensor, " records"], generator: torch.Generator
) -> Float[Tensor, " samples"]:
    shape = (BOOTSTRAP_SAMPLES, len(values))
    chosen = torch.randint(len(values), shape, generator=generator)
    return values[chosen].mean(dim=1)


def _bootstrap(values: Float[Tensor, " records"], generator: torch.Generator) -> float:
    return float(_resampled_means(values, generator).std())


def _root(
    name: str, squared: Float[Tensor, " records"], generator: torch.Generator, unit: str
) -> Metric:
    spread = float(_resampled_means(squared, generator).sqrt().std())
    return Metric(name, float(squared.mean().sqrt()), spread, unit, len(squared))


def control(field: Field, training: Sequence[Tensor], truth: Sequence[Tensor]) -> Metric:
    """What a constant achieves: the training mean of a scalar, zero for anything with direction.

    A model that does not clearly beat this has learned nothing.
    """
    invariant = isinstance(field.rep, Scalar)
    flat = torch.cat([label.double().reshape(-1) for label in training])
    constant = flat[torch.isfinite(flat)].mean() if invariant else torch.zeros(())
    name = f"{field.name}/mae of " + ("the training mean" if invariant else "zero")
    guesses = [torch.full_like(label, float(constant)) for label in truth]
    return replace(evaluate_target(field, guesses, truth)[0], name=name)
