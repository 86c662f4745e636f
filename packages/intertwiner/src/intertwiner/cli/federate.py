"""`intertwiner federate MODEL DATASET --aggregator A`: training over clients, one run folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from intertwiner.cli._shared import installed, parser, print_json, table
from intertwiner.config import flags_to_overrides, merge

__all__ = ["main"]

OWN: Final = ("aggregator", "federation")
EPILOG: Final = """\
Settings: --federation.NAME VALUE (below), --aggregator.NAME VALUE, and --model, --data and
--training as for train; `intertwiner show ID` lists those of a model, dataset or aggregator.
Every client keeps its share of the training records; the validation part chooses the weights kept.

Those of --federation, with their defaults:

"""


def main(arguments: Sequence[str]) -> int:
    options = parser("federate", "train a model over clients that keep their records")
    options.epilog = _epilog()
    options.formatter_class = argparse.RawDescriptionHelpFormatter
    options.add_argument("model", help="id of a model")
    options.add_argument("dataset", help="id of a dataset")
    options.add_argument("--aggregator", required=True, help="id of an aggregator")
    options.add_argument("--clients", type=int, help="how many clients (default 4)")
    options.add_argument("--rounds", type=int, help="how many rounds (default 10)")
    options.add_argument("--engine", default="local", help="local, or one that a plugin brings")
    options.add_argument("--out", type=Path, help="the run folder (default runs/MODEL-DATASET-A)")
    options.add_argument("--resume", action="store_true", help="continue the run in --out")
    options.add_argument("--quiet", action="store_true", help="no progress")
    chosen, rest = options.parse_known_args(arguments)
    registry = installed()
    entry = registry.aggregator(chosen.aggregator)

    from intertwiner.federated.engines import Job, find_engine
    from intertwiner.training.task import SECTIONS, build_config

    values = flags_to_overrides(rest, (*SECTIONS, *OWN))
    own = {name: values.pop(name, {}) for name in OWN}
    short = {name: getattr(chosen, name) for name in ("clients", "rounds")}
    given = {name: value for name, value in short.items() if value is not None}
    config = build_config(registry, chosen.model, chosen.dataset, values)
    names = [item.split("/")[-1] for item in (config.model, config.dataset, entry.id)]
    job = Job(
        model=chosen.model,
        dataset=chosen.dataset,
        aggregator=chosen.aggregator,
        out=str(chosen.out or Path("runs") / "-".join(names)),
        settings=values,
        federation=merge(own["federation"], given),
        aggregator_settings=own["aggregator"],
        resume=chosen.resume,
        progress=not chosen.quiet,
    )
    outcome = find_engine(chosen.engine)(job, registry)
    return _report(outcome, job.folder, chosen.json)


def _epilog() -> str:
    """The settings of a federation, name and default, and what they mean."""
    import inspect

    from intertwiner.federated.settings import FederationConfig

    lines = [f"  {name:<18}{value}" for name, value in asdict(FederationConfig()).items()]
    return EPILOG + "\n".join([*lines, "", inspect.getdoc(FederationConfig) or ""])


def _report(outcome: Any, folder: Any, as_json: bool) -> int:
    from intertwiner.view.run import draw_run

    pictures = draw_run(folder.path) if outcome.finished else []
    if as_json:
        found = {"out": str(folder.path), **asdict(outcome)}
        print_json({**found, "pictures": [str(picture) for picture in pictures]})
        return 0
    if not outcome.finished:
        print(
            f"stopped on request after round {outcome.rounds}; the state is saved. Continue with "
            "the same command and --resume",
            file=sys.stderr,
        )
        return 0
    rows = [(name, str(count)) for name, count in outcome.clients.items()]
    print(table(("client", "records"), rows))
    print(f"\n{folder.path}: {outcome.rounds} round(s) in {outcome.seconds:.0f} s; next: ")
    print(f"  intertwiner evaluate {folder.path}")
    return 0
