"""What the reports of recipes share: results by arm, means over seeds, pictures left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

from intertwiner.errors import RunError
from intertwiner.training.recipes import ArmResult, Figure

__all__ = ["by_arm", "draw_all", "figure", "over_seeds"]


def by_arm(results: Iterable[ArmResult]) -> dict[str, list[ArmResult]]:
    """arm -> its results, one for every seed, in the order of `results`."""
    arms: dict[str, list[ArmResult]] = {}
    for result in results:
        arms.setdefault(result.arm, []).append(result)
    return arms


def over_seeds(values: Iterable[float]) -> tuple[float, float | None]:
    """(mean, standard deviation); None for a single seed."""
    found = list(values)
    return fmean(found), stdev(found) if len(found) > 1 else None


def figure(
    name: str, values: Sequence[float], unit: str = "", required: str | None = None
) -> Figure:
    """Mean and standard deviation over seeds, for programs."""
    mean, spread = over_seeds(values)
    return Figure(name, mean, spread, len(values), unit, required=required)


def draw_all(drawings: Mapping[str, Callable[[], Path]]) -> tuple[list[Path], list[str]]:
    """The pictures, and for those that could not be drawn a sentence with the reason."""
    pictures, missing = [], []
    for name, draw in drawings.items():
        try:
            pictures.append(draw())
        except RunError as error:
            missing.append(f"The picture {name} is left out: {error}")
    return pictures, missing
