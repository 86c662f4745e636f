"""`intertwiner reproduce RECIPE`: a published experiment, its figures beside the published ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from intertwiner.cli._shared import installed, parser, print_json, table

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    options = parser("reproduce", "run a published experiment")
    options.add_argument("recipe", help="id of a recipe")
    options.add_argument("--scale", default="small", help="small (default) or paper")
    options.add_argument("--out", type=Path, help="folder (default runs/RECIPE-SCALE)")
    options.add_argument("--quiet", action="store_true", help="no progress")
    chosen = options.parse_args(arguments)
    registry = installed()
    entry = registry.recipe(chosen.recipe)

    from intertwiner.federated import train_arm
    from intertwiner.training.recipes import reproduce
    from intertwiner.view.report import write_report

    out = chosen.out or Path("runs") / f"{entry.spec.name}-{chosen.scale}"
    started = time.monotonic()
    report = reproduce(
        registry, entry, chosen.scale, out, progress=not chosen.quiet, over_clients=train_arm
    )
    seconds = time.monotonic() - started
    page = write_report(out, report.title, [(report.columns, report.rows)], report.pictures)
    if chosen.json:
        print_json(
            {
                "recipe": entry.id,
                "scale": chosen.scale,
                "seconds": round(seconds, 1),
                "figures": [asdict(figure) for figure in report.figures],
                "pictures": [str(picture) for picture in report.pictures],
            }
        )
    else:
        print(_text(report, seconds, page))
    return 0


def _text(report: Any, seconds: float, page: Path) -> str:
    published = [
        f"{figure.name}: {figure.value:.4g} {figure.unit} here, {figure.published:g} published "
        f"({figure.source})"
        for figure in report.figures
        if figure.published is not None
    ]
    pictures = [f"picture: {picture}" for picture in report.pictures]
    lines = [f"\n{report.title}", "", table(report.columns, report.rows), "", *published]
    return "\n".join([*lines, *report.notes, *pictures, f"report: {page}", f"{seconds:.0f} s"])
