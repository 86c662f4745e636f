"""python benchmarks/run.py [--json] [--repeats N] [--threads N]"""

from __future__ import annotations

from collections.abc import Iterator

import costs
import training

from intertwiner.benchmark import Row, main


def measure(repeats: int) -> Iterator[Row]:
    """Rows of all benchmarks."""
    for part in (costs, training):
        yield from part.measure(repeats)


if __name__ == "__main__":
    main(__doc__, measure)
