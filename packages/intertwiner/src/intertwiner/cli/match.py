"""`intertwiner match [MODEL] [DATASET]`: which pairs run, and why the others do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from intertwiner.cli._shared import installed, parser, print_json, table
from intertwiner.matching import Match, match

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    options = parser("match", "which models run on which datasets, and why others do not")
    options.add_argument("model", nargs="?", help="only this model")
    options.add_argument("dataset", nargs="?", help="only this dataset")
    chosen = options.parse_args(arguments)
    registry = installed()
    models = [registry.model(chosen.model)] if chosen.model else registry.models
    datasets = [registry.dataset(chosen.dataset)] if chosen.dataset else registry.datasets
    found = [match(model, data, registry.adapters) for model in models for data in datasets]
    if chosen.json:
        print_json({"pairs": [_as_json(pair) for pair in found]})
    else:
        print(table(("model", "dataset", "runs", ""), [_as_row(pair) for pair in found]))
    return 0 if not (chosen.model and chosen.dataset) or found[0].runs else 1


def _as_json(pair: Match) -> dict[str, Any]:
    return {
        "model": pair.model.id,
        "dataset": pair.dataset.id,
        "runs": pair.runs,
        "targets": [field.name for field in pair.targets],
        "adapters": [entry.id for entry in pair.adapters],
        "reasons": list(pair.reasons),
    }


def _as_row(pair: Match) -> tuple[str, str, str, str]:
    if not pair.runs:
        return (pair.model.id, pair.dataset.id, "no", "; ".join(pair.reasons))
    density = "density" if "density" in pair.model.spec.tasks else ""
    targets = ", ".join(field.name for field in pair.targets) or density
    through = "".join(f" through {entry.id}" for entry in pair.adapters)
    return (pair.model.id, pair.dataset.id, "yes", targets + through)
