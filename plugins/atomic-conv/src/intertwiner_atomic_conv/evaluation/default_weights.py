"""`python -m intertwiner_atomic_conv.evaluation.default_weights FILE OUT --grouped R RMSE`.

Fits the pooled ensemble to all open complexes and writes the weights that `score` uses by default.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from intertwiner.training.tensors import save_tensors
from intertwiner_atomic_conv.datasets.open_complexes import clean, read_file, records_of
from intertwiner_atomic_conv.evaluation.descriptors import describe
from intertwiner_atomic_conv.evaluation.models import fit_pooled
from intertwiner_atomic_conv.pooled.model import PooledNetwork

__all__ = ["nearest_floor"]

LOWEST = 0.01


def nearest_floor(network: PooledNetwork, shells: torch.Tensor) -> float:
    """The likeness to the nearest other training complex that 99 % of them exceed."""
    with torch.no_grad():
        likeness = network.kernel("shells").kernel(shells)
        likeness[torch.arange(len(shells)), torch.arange(len(shells))] = 0.0
        return float(likeness.amax(1).quantile(LOWEST))


def main(arguments: Sequence[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("file", type=Path)
    options.add_argument("out", type=Path)
    options.add_argument(
        "--grouped", type=float, nargs=2, required=True, help="R and RMSE of the table, by proteins"
    )
    chosen = options.parse_args(arguments)
    file = read_file(chosen.file)
    data = describe(records_of(file, clean(file)))
    network = fit_pooled(data, np.arange(len(data.y)), seed=0)
    r, rmse = chosen.grouped
    record = {
        "kind": "atomic-conv/pooled default weights",
        "capacity": len(data.y),
        "nearest_floor": nearest_floor(network, data.shells.shells.float()),
        "note": (
            f"default weights: fitted to {len(data.y)} open FEP benchmark complexes; on proteins "
            f"not seen R {r:.2f}, RMSE {rmse:.2f} pK"
        ),
    }
    save_tensors(chosen.out, network.state_dict(), record)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
