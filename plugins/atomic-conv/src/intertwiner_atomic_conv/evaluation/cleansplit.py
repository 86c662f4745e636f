"""`python -m intertwiner_atomic_conv.evaluation.cleansplit RUN`: the full and the independent test
set of a run on PDBbind CleanSplit, side by side.

RUN was trained with `--data.split cleansplit --data.cleansplit FILE`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from intertwiner.errors import ConfigError
from intertwiner.registry import load_registry
from intertwiner.training.run import load_run
from intertwiner.training.task import build_task
from intertwiner_atomic_conv.config import PdbbindConfig
from intertwiner_atomic_conv.datasets.leak_lists import read_leak_lists
from intertwiner_atomic_conv.evaluation.metrics import figures

__all__ = ["side_by_side"]

SHOWN = ("R", "rho", "RMSE", "MAE", "determination")


def side_by_side(folder: Path) -> Mapping[str, tuple[int, Mapping[str, float]]]:
    """Test set -> (complexes, figures in pK). Raises `ConfigError` for a run on other data."""
    run = load_run(folder)
    data = run.config.data_settings
    if not isinstance(data, PdbbindConfig) or not data.cleansplit:
        raise ConfigError(f"{folder}: not a run on atomic-conv/pdbbind with --data.cleansplit FILE")
    lists = read_leak_lists(Path(data.cleansplit).expanduser(), data.core)
    records = list(build_task(load_registry(), run.config).parts["test"])
    predicted = np.array([float(row["pK"]) for row in run.predict(records)])
    truth = np.array([float(record.pK) for record in records])
    size = np.array([float((record.part == 1).sum()) for record in records])
    free = np.array([str(record.name) in lists.independent for record in records])
    chosen = {
        "all of the core set": np.ones(len(free), dtype=bool),
        "independent of training": free,
    }
    return {
        name: (
            int(rows.sum()),
            figures(predicted[rows], truth[rows], np.zeros(int(rows.sum()), np.int64), size[rows]),
        )
        for name, rows in chosen.items()
        if rows.any()
    }


def main(arguments: Sequence[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("run", type=Path)
    chosen = options.parse_args(arguments)
    sys.stdout.write(f"| test set | complexes | {' | '.join(SHOWN)} |\n")
    sys.stdout.write("| --- " * (len(SHOWN) + 2) + "|\n")
    for name, (count, found) in side_by_side(cast(Path, chosen.run)).items():
        cells = " | ".join(f"{found[key]:.3f}" for key in SHOWN)
        sys.stdout.write(f"| {name} | {count} | {cells} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
