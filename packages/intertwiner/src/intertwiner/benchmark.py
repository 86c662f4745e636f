"""Benchmarks: two ways of doing the same thing, in one process, in turn, and their ratio.

A package's `benchmarks/run.py` gives its cases to `main`, which prints a table or, with `--json`,
`{"machine", "threads", "rows": [{"name", "ours_s", "other", "other_s", "ratio", ...}]}`.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import torch

__all__ = ["Row", "compare", "main", "seconds"]

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. Times are medians in seconds; ratio = other/ours, so more is better.

    low, high: quartiles of the ratio over the repeats. required: the least ratio asked for.
    """

    name: str
    ours_s: float
    other: str
    other_s: float
    ratio: float
    low: float
    high: float
    required: float | None = None
    holds: bool | None = None


def compare(
    name: str,
    ours: Work,
    other: Work,
    *,
    against: str,
    repeats: int,
    required: float | None = None,
) -> Row:
    """Runs both sides in turn, `repeats` times after one unmeasured run of each.

    With one thread on the CPU the clock counts CPU time, which other processes do not disturb.
    """
    ours(), other()
    pairs = [(seconds(ours), seconds(other)) for _ in range(repeats)]
    ratios = [theirs / mine for mine, theirs in pairs]
    low, ratio, high = statistics.quantiles(ratios, n=4) if repeats > 1 else ratios * 3
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    holds = None if required is None else ratio >= required
    return Row(name, mine, against, theirs, ratio, low, high, required, holds)


def seconds(work: Work) -> float:
    """Of one run; see `compare` for the clock."""
    gpu = torch.cuda.is_available()
    clock = time.process_time if torch.get_num_threads() == 1 and not gpu else time.perf_counter
    started = clock()
    work()
    if gpu:
        torch.cuda.synchronize()
    return clock() - started


def main(
    description: str,
    measure: Callable[[int], Iterable[Row]],
    arguments: Sequence[str] | None = None,
) -> None:
    """The command line of a `benchmarks/run.py`; `measure(repeats)` gives the rows one by one."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument(
        "--json", action="store_true", help="JSON to standard output, rows as they come to error"
    )
    options.add_argument("--repeats", type=int, default=7)
    options.add_argument("--threads", type=int, default=1)
    chosen = options.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    said = sys.stderr if chosen.json else sys.stdout
    print(f"{machine()}, {chosen.threads} threads", file=said)
    rows = list(_shown(measure(chosen.repeats), said))
    if chosen.json:
        print(json.dumps(as_json(rows, chosen.threads), indent=2))


def _shown(rows: Iterable[Row], said: TextIO) -> Iterator[Row]:
    for row in rows:
        print(_line(row), file=said, flush=True)
        yield row


def _line(row: Row) -> str:
    required = "" if row.required is None else f", {row.required:.2f} required"
    verdict = {True: "", False: "  MISSED", None: ""}[row.holds]
    return (
        f"{row.name:<52} {row.ours_s * 1e3:9.2f} ms, {row.other} {row.other_s * 1e3:9.2f} ms: "
        f"{row.ratio:.2f}x ({row.low:.2f} to {row.high:.2f}{required}){verdict}"
    )


def as_json(rows: Iterable[Row], threads: int) -> dict[str, object]:
    """The document that programs read."""
    return {"machine": machine(), "threads": threads, "rows": [asdict(row) for row in rows]}


def machine() -> str:
    """Processor and versions, for the head of a table of times."""
    processor = platform.machine()
    details = Path("/proc/cpuinfo")
    if details.exists():
        lines = details.read_text().splitlines()
        models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
        processor = f"{models[0]} ({len(models)} cores)" if models else processor
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{processor}{gpu}, Python {platform.python_version()}, torch {torch.__version__}"
