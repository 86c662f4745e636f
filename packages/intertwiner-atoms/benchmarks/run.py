"""Every benchmark of the package: `python benchmarks/run.py [--json] [--repeats N]`."""

from __future__ import annotations

from collections.abc import Iterator

import reading

from intertwiner.benchmark import Row, main


def measure(repeats: int) -> Iterator[Row]:
    """The rows of all benchmarks, one by one."""
    yield from reading.measure(repeats)


if __name__ == "__main__":
    main(__doc__ or "", measure)
