"""Every benchmark of the plugin: the product, the layer, the paper's network, the plain fallback.

`python benchmarks/run.py [--json] [--repeats N] [--threads N]`; each also runs by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import fallback
import layer
import paper
import product

from intertwiner.benchmark import Row, main


def measure(repeats: int) -> Iterator[Row]:
    """The rows of all benchmarks, one by one."""
    for benchmark in (product, layer, paper, fallback):
        yield from benchmark.measure(repeats)


if __name__ == "__main__":
    main(__doc__ or "", measure)
