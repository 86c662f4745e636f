from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from intertwiner.training.recipes import ArmResult, Figure, Report


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    rows = tuple((r.arm, str(r.seed), f"{r.metrics['test/extent/mae']:.3f}") for r in results)
    narrow = [r.metrics["test/extent/mae"] for r in results if r.arm == "narrow"]
    mean = sum(narrow) / len(narrow)
    figure = Figure("narrow", mean, max(narrow) - min(narrow), len(narrow), "angstrom^2")
    return Report("Widths", ("arm", "seed", "error"), rows, (figure,))


def report_of_names(results: Sequence[ArmResult], folder: Path) -> Report:
    return Report("Names", ("arm",), tuple((r.arm,) for r in results), ())
