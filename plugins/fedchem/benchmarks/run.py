"""Every benchmark of the plugin: training steps, rounds, joining updates, featuriser.

`python benchmarks/run.py [--json] [--repeats N] [--threads N]`; each also runs by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import adversarial_step
import featurise
import joining
import simulator
import step

from intertwiner.benchmark import Row, main


def measure(repeats: int) -> Iterator[Row]:
    """The rows of all benchmarks, one by one."""
    for benchmark in (step, adversarial_step, simulator, joining, featurise):
        yield from benchmark.measure(repeats)


if __name__ == "__main__":
    main(__doc__ or "", measure)
