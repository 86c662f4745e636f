"""`python -m intertwiner_atomic_conv.evaluation FILE`: the table of the open complexes.

Predictions are kept in the folder OUT as they come, so that a run that was stopped goes on where
it was; run again, the command prints the tables at once.

--shuffles 5   assignments of proteins to folds
--networks N   shuffles on which the networks are trained too; all by default, 0 leaves them out
--minutes M    after so much CPU time nothing new is begun; the next run goes on
--out FOLDER   where predictions, tables (Markdown) and figures (JSON) are written
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from intertwiner.atomic import write_atomically
from intertwiner.data.cache import make_folder
from intertwiner_atomic_conv.config import CrossConfig, CutoffConfig, PaperCoreConfig
from intertwiner_atomic_conv.datasets.open_complexes import clean, read_file, records_of
from intertwiner_atomic_conv.evaluation import models
from intertwiner_atomic_conv.evaluation.controls import Predict, available_controls
from intertwiner_atomic_conv.evaluation.descriptors import Descriptors, describe
from intertwiner_atomic_conv.evaluation.predictions import PredictionStore
from intertwiner_atomic_conv.evaluation.table import (
    ELSEWHERE,
    Comparison,
    compare,
    fold_of,
    markdown,
    verdicts,
)

POOLED = "pooled ensemble"
NETWORKS = {
    "paper-core, 12 nearest": PaperCoreConfig(offset=True, input_scale="rms"),
    "cross graph, additive": CrossConfig(),
    "cutoff graph, additive": CutoffConfig(),
}
FOLDS = 5


def main(arguments: Sequence[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("file", type=Path)
    options.add_argument("--shuffles", type=int, default=5)
    options.add_argument("--networks", type=int)
    options.add_argument("--minutes", type=float, default=math.inf)
    options.add_argument("--splits", nargs="+", default=["target", "random"])
    options.add_argument("--out", type=Path, default=Path("open-complexes"))
    chosen = options.parse_args(arguments)
    file = read_file(chosen.file)
    cleaned = clean(file)
    records = records_of(file, cleaned)
    data = describe(records)
    counts = (
        f"{len(records)} complexes of {cleaned.groups} proteins; left out: "
        f"{len(cleaned.relative)} relative labels, {cleaned.repeated} repeats of a ligand with "
        f"the same protein; {len(cleaned.overlap)} of the file overlap protein atoms; 0 failed."
    )
    make_folder(chosen.out)
    controls: dict[str, Predict] = {
        **available_controls(),
        POOLED: models.pooled,
        POOLED + ELSEWHERE: models.pooled_elsewhere,
        "pooled, labels permuted": models.pooled_permuted,
        "pooled, ligand 50 angstrom away": models.pooled_apart,
    }
    networks: dict[str, Predict] = {
        name: models.TrainedNetwork(config, records) for name, config in NETWORKS.items()
    }
    for split in chosen.splits:
        table = _table(chosen, split, data, controls, networks)
        text = markdown(table, counts) + "\n" + "\n".join(_said(table, data))
        write_atomically(chosen.out / f"{split}.md", [text.encode(), b"\n"])
        table.write(chosen.out / f"{split}.json")
        sys.stdout.write(text + "\n\n")
    return 0


def _table(
    chosen: argparse.Namespace,
    split: str,
    data: Descriptors,
    controls: dict[str, Predict],
    networks: dict[str, Predict],
) -> Comparison:
    shuffles = range(chosen.shuffles)
    trained = shuffles if chosen.networks is None else shuffles[: chosen.networks]
    store = PredictionStore(chosen.out / "predictions")
    limits = {"folds": FOLDS, "store": store, "stop_at": 60 * chosen.minutes, "say": _say}
    second = compare(data, networks, split, trained, **limits)
    return compare(data, controls, split, shuffles, **limits) | second


def _said(table: Comparison, data: Descriptors) -> list[str]:
    """In words what the table says, and whether the ensemble can learn labels by heart."""
    rows = np.flatnonzero(fold_of(table.split, data, FOLDS, 0) != 0)
    by_heart = models.memorised(data, rows, 0)
    return [
        *verdicts(table, [POOLED, *NETWORKS]),
        f"{POOLED}: R {by_heart:.2f} on the training labels themselves when they are permuted",
    ]


def _say(line: str) -> None:
    sys.stderr.write(f"{line} [{time.process_time() / 60:.1f} min]\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
