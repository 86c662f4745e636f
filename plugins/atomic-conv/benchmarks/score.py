"""Scoring poses against one protein, and the time a pose takes.

`python benchmarks/score.py [--json] [--repeats N] [--threads N]`: records of 64 complexes in one
batch beside the same records one by one.
"""

from __future__ import annotations

from collections.abc import Iterator

from complexes import complexes

from intertwiner.benchmark import Row, compare, main
from intertwiner_atomic_conv.scoring import Scorer, default_model

POSES = 64


def measure(repeats: int) -> Iterator[Row]:
    """One row: 64 poses together and one by one."""
    scorer = Scorer("no file is read", default_model()[0])
    records = complexes(POSES, 12.0)
    yield compare(
        f"scores of {POSES} poses, pooled, in one batch",
        lambda: scorer.of_records(records),
        lambda: [scorer.of_records([record]) for record in records],
        against="one by one",
        repeats=repeats,
    )


if __name__ == "__main__":
    main(__doc__ or "", measure)
