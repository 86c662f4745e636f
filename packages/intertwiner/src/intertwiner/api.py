"""The Python face: what the command line does, as functions people remember."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from intertwiner.config import build, unflatten
from intertwiner.data import Dataset
from intertwiner.federated.engines import Job, find_engine
from intertwiner.registry import load_registry
from intertwiner.specs import load_target
from intertwiner.training.folder import RunFolder
from intertwiner.training.loop import train
from intertwiner.training.run import Run, load_run
from intertwiner.training.task import build_config, build_model, build_task

__all__ = [
    "create_model",
    "federate",
    "fit",
    "list_datasets",
    "list_models",
    "load_dataset",
    "load_run",
]


def list_models() -> list[str]:
    """Ids of all installed models."""
    return [entry.id for entry in load_registry().models]


def list_datasets() -> list[str]:
    """Ids of all installed datasets."""
    return [entry.id for entry in load_registry().datasets]


def create_model(name: str, *, dataset: str, seed: int = 0, **overrides: Any) -> nn.Module:
    """A fresh model for the targets and elements of `dataset`.

        create_model("depthwise", dataset="gfn2-small", channels=64)

    overrides: settings of the model's config. Raises `ConfigError` for a wrong one and
    `LookupFailed` for an unknown name.
    """
    registry = load_registry()
    config = build_config(registry, name, dataset, {"model": overrides})
    task = build_task(registry, config)
    return build_model(task.found.model, config.model_settings, task.schema, seed)


def load_dataset(name: str, **settings: Any) -> Dataset:
    """The dataset called `name`; `settings` are those of its config."""
    entry = load_registry().dataset(name)
    config = build(load_target(entry.spec.config), settings, "data")
    dataset: Dataset = load_target(entry.spec.target)(config)
    return dataset


def fit(
    model: str,
    dataset: str,
    *,
    out: str | Path,
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Run:
    """Trains and returns the run.

        fit("depthwise", "gfn2-small", out="runs/dipole", settings={"training.epochs": 10})

    settings: dotted names, as on the command line. Raises what `intertwiner train` reports.
    """
    registry = load_registry()
    config = build_config(registry, model, dataset, unflatten(settings or {}))
    train(build_task(registry, config), RunFolder(Path(out)), resume=resume, progress=progress)
    return load_run(out)


def federate(
    model: str,
    dataset: str,
    aggregator: str,
    *,
    out: str | Path,
    settings: Mapping[str, Any] | None = None,
    engine: str = "local",
    resume: bool = False,
    progress: bool = True,
) -> Run:
    """Trains over clients and returns the run.

        federate("depthwise", "gfn2-small", "fedavg", out="runs/fed",
                 settings={"federation.clients": 4, "federation.rounds": 10})

    settings: dotted names of the sections model, data, training, federation and aggregator.
    engine: "local", or one that a plugin brings. Raises what `intertwiner federate` reports.
    """
    values = unflatten(settings or {})
    job = Job(
        model=model,
        dataset=dataset,
        aggregator=aggregator,
        out=str(out),
        federation=values.pop("federation", {}),
        aggregator_settings=values.pop("aggregator", {}),
        settings=values,
        resume=resume,
        progress=progress,
    )
    find_engine(engine)(job, load_registry())
    return load_run(out)
