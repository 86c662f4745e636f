"""Every benchmark of the plugin: expansion, layer, faster evaluation, low-pass filter, voxeliser.

`python benchmarks/run.py [--json] [--repeats N] [--threads N]`; each also runs by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import expansion
import fourier
import layer
import low_pass
import voxelise

from intertwiner.benchmark import Row, main


def measure(repeats: int) -> Iterator[Row]:
    """The rows of all benchmarks, one by one."""
    for benchmark in (expansion, layer, fourier, low_pass, voxelise):
        yield from benchmark.measure(repeats)


if __name__ == "__main__":
    main(__doc__ or "", measure)
