"""Estimators of the distance between a flow q and a target p = exp(-U) / Z, in nats.

All take log q and U of the same configurations, in double precision inside. A sample of weight
exp(-U - log q) with U = +inf has weight 0.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner.errors import DataError

__all__ = [
    "Estimate",
    "effective_sample_size",
    "forward_effective_sample_size",
    "kl_forward",
    "kl_reverse",
    "log_z_by_importance",
    "reweighted_mean",
]

ENOUGH: Final = 1_000
"""Effective sample sizes of fewer samples are biased upwards."""
Values = Float[Tensor, " samples"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard error, from `count` samples."""

    value: float
    error: float
    count: int

    def __str__(self) -> str:
        return f"{self.value:.3f} +- {self.error:.3f}"


def kl_forward(log_q: Values, energy: Values, log_z: float) -> Estimate:
    """KL(p|q) = mean of [-log q - U] - ln Z over samples of p.

    Paired in this way, the error is two to three times smaller than that of NLL - H.
    Raises `DataError` when a value is not finite.
    """
    terms = -_finite(log_q, "log q") - _finite(energy, "energy")
    return _mean(terms - log_z)


def kl_reverse(log_q: Values, energy: Values, log_z: float) -> Estimate:
    """KL(q|p) = mean of [log q + U] + ln Z over samples of q; +inf when one has U = +inf."""
    return _mean(_finite(log_q, "log q") + energy.double() + log_z)


def effective_sample_size(log_q: Values, energy: Values) -> float:
    """(sum w)^2 / (n sum w^2), w = exp(-U - log q), of samples of q: 1 for a perfect flow.

    Warns when n < 1000, where it reads too high.
    """
    if len(log_q) < ENOUGH:
        warnings.warn(
            f"an effective sample size of {len(log_q)} samples reads too high; "
            f"draw at least {ENOUGH}",
            stacklevel=2,
        )
    weight = _log_weights(log_q, energy)
    total = 2.0 * torch.logsumexp(weight, 0) - torch.logsumexp(2.0 * weight, 0)
    return float(total.exp()) / len(weight)


def forward_effective_sample_size(log_q: Values, energy: Values) -> float:
    """1 / (mean_p[w] mean_p[1/w]) of samples of p; sees modes that q misses."""
    weight = _log_weights(log_q, energy)
    both = torch.logsumexp(weight, 0) + torch.logsumexp(-weight, 0) - 2.0 * math.log(len(weight))
    return float((-both).exp())


def log_z_by_importance(log_q: Values, energy: Values) -> Estimate:
    """ln of the mean of w over samples of q, with the error of the delta method."""
    weight = _log_weights(log_q, energy)
    count = len(weight)
    value = float(torch.logsumexp(weight, 0)) - math.log(count)
    relative = (weight - value).exp()
    return Estimate(value, float(relative.std()) / math.sqrt(count), count)


def reweighted_mean(values: Values, log_q: Values, energy: Values) -> Estimate:
    """The mean of `values` over p from samples of q; values where w = 0 do not count."""
    weight = torch.softmax(_log_weights(log_q, energy), 0)
    used = torch.where(weight > 0, values.double(), torch.zeros_like(weight))
    mean = float((weight * used).sum())
    error = float((weight * (used - mean)).square().sum().sqrt())
    return Estimate(mean, error, len(values))


def _log_weights(log_q: Values, energy: Values) -> Values:
    return -energy.double() - _finite(log_q, "log q")


def _mean(terms: Values) -> Estimate:
    count = len(terms)
    return Estimate(float(terms.mean()), float(terms.std()) / math.sqrt(count), count)


def _finite(values: Values, what: str) -> Values:
    values = values.double()
    wrong = ~torch.isfinite(values)
    if bool(wrong.any()):
        sample = int(wrong.nonzero()[0])
        raise DataError(
            f"{what} of sample {sample} is {float(values[sample])}; "
            f"{int(wrong.sum())} of {len(values)} are not finite: leave them out and count them"
        )
    return values
