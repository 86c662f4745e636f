"""No density has a smaller mean NLL on true samples than the target's entropy."""

from __future__ import annotations

from typing import Final

from intertwiner.errors import RunError
from intertwiner_enflow.evaluation.estimators import Estimate

__all__ = ["BelowFloor", "check_floor"]

_SIGMAS: Final = 3.0


class BelowFloor(RunError):
    """A divergence is negative beyond its error, which cannot be."""


def check_floor(kl: Estimate, error: float = 0.0) -> Estimate:
    """`kl` itself. error: standard error of the target's ln Z.

    Raises `BelowFloor` when kl + 3 s.e. < 0.
    """
    total = (kl.error**2 + error**2) ** 0.5
    if kl.value + _SIGMAS * total < 0:
        raise BelowFloor(
            f"KL to the truth is {kl.value:.3f} +- {total:.3f} nats, below the entropy floor: "
            "integrator error, leaked data or a wrong convention; tighten the tolerance, take "
            "test samples of another seed, and compare normaliser and pair convention"
        )
    return kl
