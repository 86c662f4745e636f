"""Settings of private averaging. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Lt

__all__ = ["PrivateAvgConfig"]


@dataclass(frozen=True, kw_only=True)
class PrivateAvgConfig:
    """clip: largest length of an update, C. noise: standard deviation on the sum of clipped updates
    in units of C, z. delta: probability with which the guarantee may fail. max_epsilon: a run that
    would spend more is refused; None lets it. fewest: rounds with fewer updates are skipped.
    """

    clip: Annotated[float, Gt(0)] = 1.0
    noise: Annotated[float, Ge(0)] = 1.0
    delta: Annotated[float, Gt(0), Lt(1)] = 1e-5
    max_epsilon: Annotated[float, Gt(0)] | None = None
    fewest: Annotated[int, Ge(1)] = 2
