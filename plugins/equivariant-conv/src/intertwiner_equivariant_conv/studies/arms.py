"""Results put together by arm: means, spreads over seeds, and the texts of tables. No torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from intertwiner.errors import RunError
from intertwiner.training.recipes import ArmResult
from intertwiner.training.reports import by_arm, over_seeds

__all__ = ["Arms", "by_arm", "draw_all", "draw_learning", "mismatch", "over_seeds", "shown"]

Arms = Mapping[str, Sequence[ArmResult]]


def shown(mean: float, spread: float | None) -> str:
    """Four digits of the mean, and the spread as far as those go."""
    text = f"{mean:#.4g}"
    if spread is None:
        return text
    digits = len(text.partition(".")[2])
    return f"{text} ± {spread:.{digits}f}"


def mismatch(sizes: Iterable[int]) -> float:
    """By how many percent the largest exceeds the smallest."""
    found = list(sizes)
    return 100.0 * (max(found) / min(found) - 1.0)


def draw_all(drawings: Iterable[Callable[[], Path]]) -> tuple[list[Path], list[str]]:
    """The pictures, and for those that could not be drawn a sentence with the reason."""
    pictures, missing = [], []
    for draw in drawings:
        try:
            pictures.append(draw())
        except RunError as error:
            missing.append(f"A picture is left out: {error}")
    return pictures, missing


def draw_learning(results: Sequence[ArmResult], out: Path) -> Path:
    """The learning curves of all runs."""
    from intertwiner.view.curves import draw_curves

    runs = {f"{result.arm}/{result.seed}": result.folder / "metrics.csv" for result in results}
    return draw_curves(runs, out)
