"""`intertwiner train MODEL DATASET`: one run folder."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from intertwiner.cli._shared import installed, parser, print_json
from intertwiner.config import flags_to_overrides, read_yaml

__all__ = ["main"]

EPILOG = """\
Settings: --model.NAME VALUE, --data.NAME VALUE, --training.NAME VALUE; `intertwiner show ID` lists
those of a model or dataset. Several processes: --training.devices 2, or torchrun.

Those of --training, with their defaults:

"""


def main(arguments: Sequence[str]) -> int:
    options = parser("train", "train a model on a dataset into a run folder")
    options.epilog = _epilog()
    options.formatter_class = argparse.RawDescriptionHelpFormatter
    options.add_argument("model", help="id of a model")
    options.add_argument("dataset", help="id of a dataset")
    options.add_argument("--config", type=Path, help="YAML file with model, data and training")
    options.add_argument("--out", type=Path, help="the run folder (default runs/MODEL-DATASET)")
    options.add_argument("--resume", action="store_true", help="continue the run in --out")
    options.add_argument("--quiet", action="store_true", help="no progress")
    chosen, rest = options.parse_known_args(arguments)
    registry = installed()

    from intertwiner.training.folder import RunFolder
    from intertwiner.training.loop import train
    from intertwiner.training.task import SECTIONS, build_config, build_task

    layers = [_file(chosen.config), flags_to_overrides(rest, SECTIONS)]
    config = build_config(registry, chosen.model, chosen.dataset, *layers)
    names = [item.split("/")[-1] for item in (config.model, config.dataset)]
    folder = RunFolder(chosen.out or Path("runs") / "-".join(names))
    outcome = train(
        build_task(registry, config), folder, resume=chosen.resume, progress=not chosen.quiet
    )
    return _report(outcome, folder, chosen.json)


def _epilog() -> str:
    """The settings of training, name and default, and what they mean."""
    from intertwiner.training.settings import TrainingConfig

    plain = dataclasses.asdict(TrainingConfig())
    lines = [f"  {name:<18}{value}" for name, value in plain.items()]
    return EPILOG + "\n".join([*lines, "", inspect.getdoc(TrainingConfig) or ""])


def _file(path: Path | None) -> dict[str, Any]:
    """The sections of a settings file; a run's own `config.yaml` is one too."""
    if path is None:
        return {}
    sections = read_yaml(path)
    return {name: value for name, value in sections.items() if not name.endswith("_id")}


def _report(outcome: Any, folder: Any, as_json: bool) -> int:
    from intertwiner.view.run import draw_run

    if outcome.rank > 0:
        return 0
    pictures = draw_run(folder.path) if outcome.finished else []
    if as_json:
        print_json(
            {
                "out": str(folder.path),
                "finished": outcome.finished,
                "epochs": outcome.epochs,
                "steps": outcome.steps,
                "seconds": outcome.seconds,
                "selected_by": outcome.selected_by,
                "best": outcome.best_loss,
                "pictures": [str(picture) for picture in pictures],
            }
        )
    elif outcome.finished:
        print(f"{folder.path}: {outcome.epochs} epoch(s) in {outcome.seconds:.0f} s; next: ")
        print(f"  intertwiner evaluate {folder.path}")
    else:
        print(
            f"stopped on request after step {outcome.steps}; the state is saved. Continue with the "
            f"same command and --resume",
            file=sys.stderr,
        )
    return 0
