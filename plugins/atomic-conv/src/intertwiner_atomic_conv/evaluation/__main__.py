"""`python -m intertwiner_atomic_conv.evaluation FILE`: the table of the open complexes.

--shuffles 5   assignments of proteins to folds
--networks N   shuffles on which the networks are trained too (slow; 0 leaves them out)
--out FOLDER   where tables (Markdown) and figures (JSON) are written
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from torch_geometric.data import Data

from intertwiner.atomic import write_atomically
from intertwiner_atomic_conv.config import CrossConfig, CutoffConfig, PaperCoreConfig
from intertwiner_atomic_conv.datasets.open_complexes import clean, read_file, records_of
from intertwiner_atomic_conv.evaluation import models
from intertwiner_atomic_conv.evaluation.controls import Predict, available_controls
from intertwiner_atomic_conv.evaluation.descriptors import Descriptors, describe
from intertwiner_atomic_conv.evaluation.table import compare, markdown, verdicts

POOLED = "pooled ensemble"
NETWORKS = {
    "paper-core, 12 nearest": PaperCoreConfig(offset=True, input_scale="rms"),
    "cross graph, additive": CrossConfig(),
    "cutoff graph, additive": CutoffConfig(),
}


def main(arguments: Sequence[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("file", type=Path)
    options.add_argument("--shuffles", type=int, default=5)
    options.add_argument("--first", type=int, default=0, help="number of the first shuffle")
    options.add_argument("--networks", type=int, default=0)
    options.add_argument("--only-networks", action="store_true")
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
    chosen.out.mkdir(parents=True, exist_ok=True)
    for split in chosen.splits:
        table = _table(chosen, split, data, records)
        text = markdown(table, counts) + "\n" + "\n".join(verdicts(table, [POOLED, *NETWORKS]))
        write_atomically(chosen.out / f"{split}.md", [text.encode(), b"\n"])
        table.write(chosen.out / f"{split}.json")
        sys.stdout.write(text + "\n")
    return 0


def _table(chosen: argparse.Namespace, split: str, data: Descriptors, records: list[Data]):  # type: ignore[no-untyped-def]
    shuffles = range(chosen.first, chosen.first + chosen.shuffles)
    methods: dict[str, Predict] = {}
    if not chosen.only_networks:
        methods = {
            **available_controls(),
            POOLED: models.pooled,
            "pooled, labels permuted": models.pooled_permuted,
            "pooled, ligand 50 angstrom away": models.pooled_apart,
        }
    table = compare(data, methods, split, shuffles, say=_say)
    if chosen.networks:
        trained = {name: models.network(config, records) for name, config in NETWORKS.items()}
        more = compare(data, trained, split, shuffles[: chosen.networks], say=_say)
        table.figures |= more.figures
        table.interval |= more.interval
        table.seconds |= more.seconds
    return table


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
