"""What the reports share: arms in order, means with deviations, pictures that may be left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean, stdev

from intertwiner.errors import RunError
from intertwiner.training.reports import by_arm

__all__ = ["by_arm", "drawn", "shown", "spread"]


def spread(values: Sequence[float]) -> float | None:
    """Standard deviation over seeds; None for a single one."""
    return stdev(values) if len(values) > 1 else None


def shown(values: Sequence[float], digits: int = 3) -> str:
    """Mean and deviation as text."""
    deviation = spread(values)
    mean = f"{fmean(values):.{digits}f}"
    return mean if deviation is None else f"{mean} ± {deviation:.{digits}f}"


def drawn(drawings: Iterable[Callable[[], Path]]) -> tuple[list[Path], list[str]]:
    """The pictures, and a remark for each that could not be drawn."""
    pictures, missing = [], []
    for draw in drawings:
        try:
            pictures.append(draw())
        except RunError as error:
            missing.append(f"a picture is left out: {error}")
    return pictures, missing
