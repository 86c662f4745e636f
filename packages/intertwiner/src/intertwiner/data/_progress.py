"""A progress bar for downloads, on standard error and only where someone is watching."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Report", "show_progress"]

Report = Callable[[int, int | None], None]
"""Called with the bytes so far and, where known, in all."""


@contextmanager
def show_progress(label: str, wanted: bool) -> Iterator[Report]:
    """Gives what is to be called as bytes come in; silent when not `wanted` or no terminal."""
    if not (wanted and sys.stderr.isatty()):
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
