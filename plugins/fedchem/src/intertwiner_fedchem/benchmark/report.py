"""The report of the recipe `benchmark`: one table, controls, intervals, pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from intertwiner.config import build
from intertwiner.errors import RunError
from intertwiner.federated.partition import partition
from intertwiner.federated.settings import FederationConfig
from intertwiner.registry import Registry, load_registry
from intertwiner.training.folder import RunFolder
from intertwiner.training.recipes import ArmResult, Figure, Report
from intertwiner.training.run import config_of
from intertwiner.training.task import Task, build_task
from intertwiner_fedchem.benchmark.evaluation import evaluate_run, figure_of, labels_of
from intertwiner_fedchem.benchmark.pictures import draw_client_curves, draw_heat_map
from intertwiner_fedchem.benchmark.table import Cell, Key, difference, parse_arm
from intertwiner_fedchem.declarations.recipes import METHODS
from intertwiner_fedchem.metrics.controls import (
    composition,
    composition_linear,
    scaffold_mean,
    training_mean,
)
from intertwiner_fedchem.splits.heterogeneity import heterogeneity

__all__ = ["report"]

COLUMNS = ("one-client", *METHODS, "equal-clients", "centralised")
WHAT = ("final", "best", "final_new_scaffolds")
SAID = {
    "final": "last round",
    "best": "best validation",
    "final_new_scaffolds": "last round, new scaffolds",
}


@dataclass(frozen=True, slots=True)
class _Runs:
    """Cells by (key, what), and one folder for each key."""

    cells: dict[tuple[Key, str], Cell]
    folders: dict[Key, dict[int, Path]]

    def cell(self, dataset: str, alpha: str, method: str, what: str) -> Cell | None:
        both = (Key(dataset, alpha, method), Key(dataset, "", method))
        found = (self.cells.get((key, what)) for key in both)
        return next((cell for cell in found if cell is not None), None)

    @property
    def divisions(self) -> list[tuple[str, str]]:
        return sorted({(key.dataset, key.alpha) for key in self.folders if key.alpha})


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """The table of all arms, mean ± standard deviation over seeds (number of seeds)."""
    registry = load_registry()
    runs = _gather(results, registry)
    rows = [row for dataset, alpha in runs.divisions for row in _rows(runs, dataset, alpha)]
    notes = [
        "RMSE in the label's unit (esol, freesolv, lipo: lower is better), mean AUC (bace, bbbp: "
        "higher is better); differences are paired by seed, with 95 % intervals",
        *(line for dataset, alpha in runs.divisions for line in _differences(runs, dataset, alpha)),
    ]
    pictures: list[Path] = []
    for dataset in sorted({key.dataset for key in runs.folders}):
        lines, drawn = _of_set(runs, dataset, folder, registry)
        notes += lines
        pictures += drawn
    return Report(
        "Federated learning on MoleculeNet sets divided by scaffold",
        ("set", "alpha", "weights of", *COLUMNS),
        tuple(rows),
        tuple(_figures(runs)),
        tuple(pictures),
        tuple(notes),
    )


def _gather(results: Sequence[ArmResult], registry: Registry) -> _Runs:
    values: dict[tuple[Key, str], dict[int, float]] = defaultdict(dict)
    folders: dict[Key, dict[int, Path]] = defaultdict(dict)
    for result in results:
        key, found = parse_arm(result.arm), evaluate_run(result.folder, registry)
        folders[key][result.seed] = result.folder
        for what in (*WHAT, "best_new_scaffolds"):
            values[key, what][result.seed] = getattr(found, what)
    return _Runs({key: Cell(by_seed) for key, by_seed in values.items()}, dict(folders))


def _rows(runs: _Runs, dataset: str, alpha: str) -> Iterator[tuple[str, ...]]:
    for what in WHAT:
        cells = [runs.cell(dataset, alpha, column, what) for column in COLUMNS]
        yield (dataset, alpha, SAID[what], *("-" if cell is None else str(cell) for cell in cells))


def _differences(runs: _Runs, dataset: str, alpha: str) -> Iterator[str]:
    base = runs.cell(dataset, alpha, "fedavg", "final")
    for method in METHODS[1:]:
        cell = runs.cell(dataset, alpha, method, "final")
        found = difference(cell, base) if cell and base else None
        if found:
            gap, half, seeds = found
            verdict = "" if abs(gap) > half else ", which says nothing"
            yield (
                f"{dataset}, alpha {alpha}: {method} less fedavg {gap:+.3f} ± {half:.3f} "
                f"({seeds} seeds){verdict}"
            )


def _figures(runs: _Runs) -> Iterator[Figure]:
    for (key, what), cell in sorted(runs.cells.items()):
        middle = f"alpha-{key.alpha}/" if key.alpha else ""
        name = f"{key.dataset}/{middle}{key.method}/{what.replace('_', '-')}"
        yield Figure(name, cell.mean, cell.spread, len(cell.values))


def _of_set(
    runs: _Runs, dataset: str, folder: Path, registry: Registry
) -> tuple[list[str], list[Path]]:
    """Controls, heterogeneity and pictures of one set."""
    alphas = [alpha for name, alpha in runs.divisions if name == dataset]
    divided = {alpha: Key(dataset, alpha, "fedavg") for alpha in alphas}
    divided = {alpha: key for alpha, key in divided.items() if key in runs.folders}
    if not divided:
        return [], []
    first = {alpha: min(runs.folders[key].items()) for alpha, key in divided.items()}
    lines, parts_of = [], {}
    for alpha, (seed, path) in first.items():
        stored = RunFolder(path).read_config()
        task = build_task(registry, config_of(stored, registry))
        training = task.parts["train"]
        settings = build(FederationConfig, stored["federation"], "federation")
        parts = partition(training, settings, seed)
        scaffolds = np.array([int(record.scaffold) for record in training])
        labels = labels_of(task.schema.targets, training)[:, 0]
        said = heterogeneity(scaffolds, parts, labels)
        lines.append(f"{dataset}, alpha {alpha}, seed {seed}: {said}")
        parts_of[f"alpha {alpha}"] = parts
    tested = np.array([int(record.scaffold) for record in task.parts["test"]])
    new = int((~np.isin(tested, scaffolds)).sum())
    lines.append(f"{dataset}: {new} of {len(tested)} test molecules have a new scaffold")
    lines.append(f"{dataset}: {_controls(task)}")
    try:
        pictures = [
            draw_heat_map(scaffolds, parts_of, folder / f"{dataset}-scaffolds.png", title=dataset),
            _draw_curves(runs, dataset, folder / f"{dataset}-clients.png"),
        ]
    except RunError as error:
        return [*lines, f"no pictures: {error}"], []
    return lines, pictures


def _draw_curves(runs: _Runs, dataset: str, out: Path) -> Path:
    chosen = {
        f"{key.method}, alpha {key.alpha}": min(seeds.items())[1]
        for key, seeds in sorted(runs.folders.items())
        if key.dataset == dataset and key.alpha and key.method in METHODS
    }
    return draw_client_curves(chosen, out)


def _controls(task: Task) -> str:
    """What guesses achieve on the test molecules."""
    training, test, fields = task.parts["train"], task.parts["test"], task.schema.targets
    labels, truth = labels_of(fields, training), labels_of(fields, test)
    scaffolds = [np.array([int(record.scaffold) for record in part]) for part in (training, test)]
    guesses = {
        "training mean": training_mean(labels, len(test)),
        "composition": composition_linear(composition(training), labels, composition(test)),
        "scaffold mean": scaffold_mean(scaffolds[0], labels, scaffolds[1]),
    }
    found = {name: figure_of(fields, guess, truth)[0] for name, guess in guesses.items()}
    return "controls: " + ", ".join(f"{name} {value:.3f}" for name, value in found.items())
