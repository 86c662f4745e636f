"""Work spread over processes, in order, with a progress bar; a process that dies loses one task.

The processes are started afresh (spawned), so a script that asks for several must do its work
under `if __name__ == "__main__":`, as always with spawned processes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

from intertwiner.errors import RunError

__all__ = ["cores", "spread"]

PROBE: Callable[[], object] = os.getpid
"""What a new process does first, to see whether there can be any."""

Task = TypeVar("Task")
Result = TypeVar("Result")


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    workers: int = 1,
    label: str = "",
    progress: bool = True,
) -> Iterator[Result | None]:
    """`work(task)` of every task, in order; None where the process that did it ended.

    workers: processes; 1 works in this one, 0 takes as many as there are processors. work: a
    function of a module, whose tasks and results can be pickled.
    Raises `RunError` when processes cannot be started.
    """
    workers = min(workers or cores(), len(tasks))
    with _bar(label, len(tasks), wanted=progress) as advance:
        source = map(work, tasks) if workers <= 1 else _in_processes(work, tasks, workers)
        for result in source:
            yield result
            advance()


def _in_processes(
    work: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[Result | None]:
    done = 0
    while done < len(tasks):
        pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
        try:
            for result in pool.map(work, tasks[done:]):
                done += 1
                yield result
        except BrokenProcessPool:
            yield _alone(work, tasks[done])
            done += 1
        finally:
            pool.shutdown(cancel_futures=True)


def _alone(work: Callable[[Task], Result], task: Task) -> Result | None:
    """One task in a process of its own; None when it ends that process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            pool.submit(PROBE).result()
        except BrokenProcessPool as error:
            raise RunError(
                "worker processes cannot be started; call this under `if __name__ == "
                "'__main__':`, or set workers=1"
            ) from error
        try:
            return pool.submit(work, task).result()
        except BrokenProcessPool:
            return None


@contextmanager
def _bar(label: str, total: int, *, wanted: bool) -> Iterator[Callable[[], None]]:
    """Gives what is to be called after every task; silent when no one is watching."""
    if not (wanted and total > 1 and sys.stderr.isatty()):
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda: bar.advance(task)
