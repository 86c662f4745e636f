"""`intertwiner evaluate RUN`: the errors of a run, with units and error bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from intertwiner.cli._shared import installed, parser, print_json, table

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    options = parser("evaluate", "errors of a run on its test part")
    options.add_argument("run", type=Path, help="a run folder")
    options.add_argument("--part", default="test", choices=("train", "validation", "test"))
    chosen = options.parse_args(arguments)
    registry = installed()

    from intertwiner.training.run import load_run

    run = load_run(chosen.run, registry)
    evaluation = run.evaluate(chosen.part, registry)
    if chosen.json:
        print_json(
            {
                "run": str(chosen.run),
                "part": chosen.part,
                "metrics": [asdict(metric) for metric in evaluation.metrics],
                "controls": [asdict(metric) for metric in evaluation.controls],
            }
        )
        return 0
    rows = [
        (metric.name, str(metric), str(metric.records))
        for metric in (*evaluation.metrics, *evaluation.controls)
    ]
    print(table((f"{chosen.part} part", "value ± error", "records"), rows))
    return 0
