"""By how much one arm's errors are smaller than another's, over targets and seeds. No torch here.

A gain is 100 (1 - MAE_B / MAE_A) for going from arm A to arm B. It is taken seed by seed, then
averaged over pairs of arms and over targets; its spread is the standard deviation over seeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

__all__ = ["Errors", "Gain", "gain", "gains_by_target", "mean_gain"]

Errors = Mapping[str, Mapping[int, Mapping[str, float]]]
"""arm -> seed -> target -> mean absolute error."""
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Gain:
    """Mean over seeds in percent, standard deviation over seeds (None for one), and how many."""

    mean: float
    spread: float | None
    seeds: int

    def __str__(self) -> str:
        return f"{self.mean:.1f}" + (f" ± {self.spread:.1f}" if self.spread is not None else "")


def gain(before: float, after: float) -> float:
    """100 (1 - after/before): the share of an error that is gone, in percent."""
    return 100.0 * (1.0 - after / before)


def mean_gain(errors: Errors, pairs: Sequence[Pair], targets: Sequence[str]) -> Gain | None:
    """Averaged over pairs (from, to) and targets; None when no seed has every arm."""
    by_seed = {
        seed: fmean(
            gain(errors[first][seed][target], errors[second][seed][target])
            for first, second in pairs
            for target in targets
        )
        for seed in _common_seeds(errors, pairs)
    }
    return _over_seeds(by_seed.values())


def gains_by_target(
    errors: Errors, pairs: Sequence[Pair], targets: Sequence[str]
) -> dict[str, Gain]:
    """target -> its gain averaged over pairs; empty when no seed has every arm."""
    found = {target: mean_gain(errors, pairs, (target,)) for target in targets}
    return {target: value for target, value in found.items() if value is not None}


def _common_seeds(errors: Errors, pairs: Sequence[Pair]) -> list[int]:
    """The seeds with which every arm of every pair was trained."""
    found = [set(errors.get(arm, {})) for pair in pairs for arm in pair]
    return sorted(set.intersection(*found)) if found else []


def _over_seeds(values: Iterable[float]) -> Gain | None:
    found = list(values)
    if not found:
        return None
    return Gain(fmean(found), stdev(found) if len(found) > 1 else None, len(found))
