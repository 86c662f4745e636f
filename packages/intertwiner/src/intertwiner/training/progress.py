"""What the user sees while a training runs: a bar on a terminal, a line per epoch elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["TrainingProgress"]


class TrainingProgress:
    """Progress over all steps of a run, on standard error. `shown=False` says nothing."""

    def __init__(self, label: str, steps: int, done: int, *, shown: bool) -> None:
        self.label = label
        self.shown = shown
        console = Console(stderr=True)
        self.live = shown and console.is_terminal
        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not self.live,
        )
        self._task = self._bar.add_task(label, total=steps, completed=done, note="")

    def __enter__(self) -> TrainingProgress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def step(self, count: int = 1) -> None:
        """So many more steps are done."""
        if self.live:
            self._bar.advance(self._task, count)

    def say(self, lines: Iterable[str]) -> None:
        """Lines above the bar that must not be missed; nothing is said when not shown."""
        for line in lines if self.shown else ():
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def epoch(self, row: Mapping[str, Any], epochs: int, word: str = "epoch") -> None:
        """An epoch is done; `row` is its line of `metrics.csv`."""
        shown = [
            f"{name} {value:.4g}"
            for name, value in row.items()
            if name.startswith("validation") and isinstance(value, float)
        ]
        note = ", ".join(shown[:2])
        if self.live:
            self._bar.update(self._task, note=note)
        elif self.shown:
            print(  # noqa: T201
                f"{self.label}: {word} {row['epoch']}/{epochs}, {note}", file=sys.stderr, flush=True
            )
