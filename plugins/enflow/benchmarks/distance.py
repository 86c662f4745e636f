"""Distance to the truth after a budget of processor time, with the published training beside it.

    python benchmarks/distance.py dw4 --seconds 300 --seeds 0 1 2 --arms fast paper
    python benchmarks/distance.py lj13 --pair half --seconds 300

One thread; time is the processor's. Every figure is by exact divergence on test samples of
another generator seed than the training samples. `--set learning_rate=2e-3` changes settings.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, fields, replace
from pathlib import Path

import torch
from torch import Tensor

from intertwiner.benchmark import machine
from intertwiner_enflow.datasets.config import ParticlesConfig
from intertwiner_enflow.datasets.particles import tensors
from intertwiner_enflow.studies.budget import Trained
from intertwiner_enflow.studies.distance import (
    Distance,
    control_distances,
    load_trained,
    measure,
    over_seeds,
    train_for,
)
from intertwiner_enflow.studies.settings import BudgetSettings, named_settings
from intertwiner_enflow.targets import Target, target_named


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    target = target_named(options.target, options.pair)
    config = ParticlesConfig(train=options.train, test=options.test, seed=options.data_seed)
    parts = tensors(target, config)
    print(f"{target.name}: {machine()}, {options.train} training, {options.test} test samples")
    for name, kl in control_distances(target, parts).items():
        print(f"control {name}: KL(p|q) {kl}")
    for arm in options.arms:
        settings = _changed(named_settings(arm, target.name), options.set)
        found = []
        for seed in options.seeds:
            trained = _trained(arm, target, parts["train"], settings, seed, options)
            if options.samples:
                one = measure(arm, target, parts["test"], trained, seed, samples=options.samples)
                found.append(one)
                print(*one.lines(), sep="\n", flush=True)
                _keep_figures(one, settings, options)
        if found:
            mean, deviation = over_seeds(found)
            print(f"{arm}: KL(p|q) {mean:.3f}, deviation over {len(found)} seeds {deviation:.3f}")


def _trained(
    arm: str,
    target: Target,
    train: Tensor,
    settings: BudgetSettings,
    seed: int,
    options: argparse.Namespace,
) -> Trained:
    """The flow that was kept of this arm, budget and seed, or one trained now, which is kept."""
    kept = None if options.out is None else options.out / f"{_stem(arm, seed, options)}.pt"
    if kept is not None and kept.is_file():
        return load_trained(target, settings, torch.load(kept, weights_only=True))
    start = None if options.start is None else torch.load(options.start, weights_only=True)
    trained = train_for(target, train, options.seconds, settings, seed, start)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        torch.save(trained.flow.state_dict(), kept)
    return trained


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=("dw4", "lj13"))
    parser.add_argument("--pair", choices=("half", "double"))
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", default=["fast"], choices=("fast", "tuned", "paper"))
    parser.add_argument("--train", type=int, default=10_000)
    parser.add_argument("--test", type=int, default=4_000)
    parser.add_argument("--samples", type=int, default=2_000, help="0: train and keep alone")
    parser.add_argument("--start", type=Path, help="kept weights to go on from, schedule anew")
    parser.add_argument("--data-seed", type=int, default=0)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument(
        "--out", type=Path, help="folder for weights and figures; kept weights are used"
    )
    return parser.parse_args()


def _changed(settings: BudgetSettings, changes: list[str]) -> BudgetSettings:
    known = {field.name for field in fields(settings)}
    values = {}
    for change in changes:
        name, _, text = change.partition("=")
        if name not in known:
            raise SystemExit(f"--set {name}: there are {', '.join(sorted(known))}")
        values[name] = tuple(json.loads(text)) if name == "steps" else json.loads(text)
    return replace(settings, **values)


def _keep_figures(one: Distance, settings: BudgetSettings, options: argparse.Namespace) -> None:
    if options.out is None:
        return
    record = {"settings": asdict(settings), "report": asdict(one.report), "gap": one.gap}
    path = options.out / f"{_stem(one.arm, one.seed, options)}.json"
    path.write_text(json.dumps(record, indent=2))


def _stem(arm: str, seed: int, options: argparse.Namespace) -> str:
    return f"{options.target}-{options.pair or 'one'}-{arm}-{options.seconds:g}-{seed}"


if __name__ == "__main__":
    main()
