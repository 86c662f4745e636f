"""Published experiments: every arm with every seed, then figures, a table and pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from intertwiner.config import merge, suggestion, unflatten
from intertwiner.errors import ConfigError, RunError
from intertwiner.registry import Entry, Registry
from intertwiner.specs import Arm, RecipeSpec, Scale, load_target
from intertwiner.training.folder import RunFolder
from intertwiner.training.loop import train
from intertwiner.training.run import load_run
from intertwiner.training.settings import RunConfig
from intertwiner.training.task import build_config, build_task

__all__ = ["ArmResult", "Figure", "Report", "reproduce"]

FEDERATED = ("federation", "aggregator")


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One trained arm. `metrics` are test figures such as `{"test/dipole/mae": 0.11}`."""

    arm: str
    seed: int
    folder: Path
    parameters: int
    seconds: float
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a report: mean over seeds, standard deviation over seeds, and its aim."""

    name: str
    value: float
    spread: float | None = None
    seeds: int = 0
    unit: str = ""
    published: float | None = None
    source: str = ""
    required: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a recipe found: a table for people, figures for programs, pictures, and remarks."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: tuple[Figure, ...]
    pictures: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


class Outcome(Protocol):
    """What is asked of a training's outcome."""

    @property
    def finished(self) -> bool: ...
    @property
    def seconds(self) -> float: ...


TrainOverClients = Callable[[Registry, str, RunConfig, Mapping[str, Any], RunFolder, bool], Outcome]
"""(registry, aggregator, settings, sections "federation" and "aggregator", folder, progress)."""


def reproduce(
    registry: Registry,
    entry: Entry[RecipeSpec],
    scale: str,
    out: Path,
    *,
    progress: bool = True,
    over_clients: TrainOverClients | None = None,
) -> Report:
    """Trains every arm with every seed of the scale under `out`, and reports.

    Runs that are already finished there are kept, interrupted ones are continued.
    over_clients: trains arms that have an aggregator (`intertwiner.federated.train_arm`).
    Raises `ConfigError` for an unknown scale.
    """
    chosen = _scale(entry.spec, scale)
    results = [
        _train_arm(registry, entry.spec, chosen, arm, seed, out, progress, over_clients)
        for seed in chosen.seeds
        for arm in chosen.arms or entry.spec.arms
    ]
    report: Report = load_target(entry.spec.report)(results, out)
    return replace(report, figures=tuple(_with_published(entry.spec, report.figures)))


def _scale(spec: RecipeSpec, name: str) -> Scale:
    if name not in spec.scales:
        raise ConfigError(f"--scale {name!r}: no such scale{suggestion(name, spec.scales)}")
    return spec.scales[name]


def _with_published(spec: RecipeSpec, figures: Sequence[Figure]) -> Iterator[Figure]:
    published = {item.name: item for item in spec.published}
    for figure in figures:
        known = published.get(figure.name)
        yield (replace(figure, published=known.value, source=known.source) if known else figure)


def arm_config(
    registry: Registry, spec: RecipeSpec, scale: Scale, arm: Arm, seed: int
) -> RunConfig:
    """The settings of one training: the scale's, then the arm's, then the seed."""
    layers = merge(_layers(scale, arm), {"training": {"seed": seed}})
    model, dataset = arm.model or spec.model, arm.dataset or scale.dataset or spec.dataset
    own = {name: values for name, values in layers.items() if name not in FEDERATED}
    return build_config(registry, model, dataset, own if arm.aggregator else layers)


def _layers(scale: Scale, arm: Arm) -> dict[str, Any]:
    return merge(unflatten(scale.overrides), unflatten(arm.overrides))


def _train_arm(
    registry: Registry,
    spec: RecipeSpec,
    scale: Scale,
    arm: Arm,
    seed: int,
    out: Path,
    progress: bool,
    over_clients: TrainOverClients | None,
) -> ArmResult:
    folder = RunFolder(out / arm.name / f"seed-{seed}")
    config = arm_config(registry, spec, scale, arm, seed)
    started = time.monotonic()
    if arm.aggregator is None:
        task, label = build_task(registry, config), f"{arm.name}, seed {seed}"
        resume = folder.state.exists()
        outcome: Outcome = train(task, folder, resume=resume, progress=progress, label=label)
    elif over_clients is None:
        raise RunError(f"arm {arm.name!r} is trained over clients: give `over_clients`")
    else:
        layers = _layers(scale, arm)
        own = {name: layers.get(name, {}) for name in FEDERATED}
        outcome = over_clients(registry, arm.aggregator, config, own, folder, progress)
    if not outcome.finished:
        raise RunError(f"{folder.path}: stopped on request; the same command continues it")
    run = load_run(folder.path, registry)
    found = run.evaluate("test", registry).metrics
    metrics = {f"test/{metric.name}": metric.value for metric in found}
    parameters = sum(parameter.numel() for parameter in run.model.parameters())
    seconds = max(outcome.seconds, time.monotonic() - started)
    return ArmResult(arm.name, seed, folder.path, parameters, seconds, metrics)
