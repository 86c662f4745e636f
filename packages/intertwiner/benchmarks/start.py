"""How long commands take to start, in CPU seconds of processes of their own.

`train` with the tests' smallest model, from the shell to the end of its one step (validation,
checkpoint and report with it), beside the import of torch and torch_geometric alone; and `list`,
which imports neither, beside a Python that does nothing. At most 1.5 and 20 times as long.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from intertwiner.benchmark import Row, main

TOY = Path(__file__).parent.parent / "tests" / "toy"
IMPORTS = ("-c", "import torch, torch_geometric")
COMMAND = ("-m", "intertwiner")
TRAIN = (
    *(*COMMAND, "train", "toy/distance-net", "toy/pairs", "--quiet", "--data.limit", "8"),
    *("--training.epochs", "1", "--training.batch_size", "8", "--training.accelerator", "cpu"),
)
LONGEST_TRAIN, LONGEST_LIST = 1.5, 20.0


def seconds(arguments: Sequence[str]) -> float:
    """CPU time of `python ARGUMENTS` with the toy plugin installed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    path = os.pathsep.join([str(TOY), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def train() -> float:
    """Of one step, into a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        return seconds([*TRAIN, "--out", f"{folder}/run"])


def measure(repeats: int) -> Iterator[Row]:
    """Both sides of both comparisons, in turn."""
    pairs = [(train(), seconds(IMPORTS)) for _ in range(repeats + 1)]
    yield row("train: from the shell to its end", pairs, "import of both", LONGEST_TRAIN)
    listing = [*COMMAND, "list", "--json"]
    pairs = [(seconds(listing), seconds(["-c", "pass"])) for _ in range(repeats + 1)]
    yield row("list", pairs, "an empty Python", LONGEST_LIST)


def row(name: str, pairs: Sequence[tuple[float, float]], other: str, longest: float) -> Row:
    """Of all pairs but the first, which warms the disk's cache."""
    ratios = [theirs / ours for ours, theirs in pairs[1:]]
    low, ratio, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    ours, theirs = (statistics.median(column) for column in zip(*pairs[1:], strict=True))
    return Row(name, ours, other, theirs, ratio, low, high, 1 / longest, ratio >= 1 / longest)


if __name__ == "__main__":
    main(__doc__ or "", measure)
