"""From names and settings to something that can be trained: model, schema, and records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import nn
from torch_geometric.data import Data

from intertwiner.config import build, merge, suggestion, to_plain
from intertwiner.data import Dataset
from intertwiner.errors import ConfigError
from intertwiner.matching import Match, match, select_targets
from intertwiner.registry import Entry, Registry
from intertwiner.schema import Schema
from intertwiner.specs import ModelSpec, load_target
from intertwiner.training.settings import RunConfig, TrainingConfig

__all__ = ["SECTIONS", "Task", "build_config", "build_model", "build_task", "config_to_plain"]

SECTIONS = ("model", "data", "training")


class Adapted(Sequence[Data]):
    """Records passed through a chain of adapters, each record once."""

    def __init__(self, records: Sequence[Data], steps: Sequence[Callable[[Data], Data]]) -> None:
        self.records = records
        self.steps = steps
        self._done: dict[int, Data] = {}

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> Data:  # type: ignore[override]
        if index not in self._done:
            record = self.records[index]
            for step in self.steps:
                record = step(record)
            self._done[index] = record
        return self._done[index]


@dataclass(frozen=True, slots=True)
class Task:
    """A model entry, the schema it is built for, and the records of every part."""

    config: RunConfig
    found: Match
    schema: Schema
    parts: Mapping[str, Sequence[Data]]


def build_config(
    registry: Registry, model: str, dataset: str, *layers: Mapping[str, Any]
) -> RunConfig:
    """The settings of a run from nested mappings with the sections model, data and training.

    Later layers win. Raises `ConfigError` with the dotted path of what is wrong.
    """
    model_entry, dataset_entry = registry.model(model), registry.dataset(dataset)
    values = merge(*layers)
    for section in values:
        if section not in SECTIONS:
            raise ConfigError(f"{section}: no such section{suggestion(section, SECTIONS)}")
    return RunConfig(
        model=model_entry.id,
        dataset=dataset_entry.id,
        model_settings=_section(load_target(model_entry.spec.config), values, "model"),
        data_settings=_section(load_target(dataset_entry.spec.config), values, "data"),
        training=_section(TrainingConfig, values, "training"),
    )


def _section(kind: type[Any], values: Mapping[str, Any], name: str) -> Any:
    section = values.get(name) or {}
    if not isinstance(section, Mapping):
        raise ConfigError(f"{name}: must be a section with settings, not {section!r}")
    return build(kind, section, name)


def config_to_plain(config: RunConfig) -> dict[str, Any]:
    """What `config.yaml` holds: the two ids and the three sections."""
    return {
        "model_id": config.model,
        "dataset_id": config.dataset,
        "model": to_plain(config.model_settings),
        "data": to_plain(config.data_settings),
        "training": to_plain(config.training),
    }


def build_task(registry: Registry, config: RunConfig, *, synthetic: int = 0) -> Task:
    """Loads the dataset and fits model and data together.

    synthetic: use so many records of the dataset's stand-in instead of the dataset itself.
    Raises `ConfigError` with all reasons when the pair does not run.
    """
    model_entry, dataset_entry = registry.model(config.model), registry.dataset(config.dataset)
    found = match(model_entry, dataset_entry, registry.adapters)
    if not found.runs:
        reasons = "; ".join(found.reasons)
        raise ConfigError(f"{model_entry.id} does not run on {dataset_entry.id}: {reasons}")
    targets = select_targets(found, config.data_settings.targets)
    if synthetic:
        dataset = cast(Dataset, load_target(dataset_entry.spec.synthetic)(synthetic, 0))
    else:
        names = tuple(field.name for field in targets)
        settings = replace(config.data_settings, targets=names)
        dataset = cast(Dataset, load_target(dataset_entry.spec.target)(settings))
    schema = Schema(
        structure=model_entry.spec.reads,
        inputs=found.inputs,
        targets=targets,
        species=dataset.species,
    )
    return Task(config, found, schema, _parts(dataset, found, config))


def _parts(dataset: Dataset, found: Match, config: RunConfig) -> dict[str, Sequence[Data]]:
    steps = [
        load_target(item.spec.target)(load_target(item.spec.config)()) for item in found.adapters
    ]
    scheme, limit = config.data_settings.split, config.data_settings.limit
    if scheme not in dataset.splits:
        raise ConfigError(f"data.split: no split {scheme!r}{suggestion(scheme, dataset.splits)}")
    parts: dict[str, Sequence[Data]] = {}
    for name in dataset.splits[scheme]:
        subset = dataset.part(name, scheme)
        if name == "train" and limit is not None:
            subset.indices = subset.indices[:limit]
        parts[name] = Adapted(subset, steps) if steps else subset
    return parts


def build_model(entry: Entry[ModelSpec], settings: Any, schema: Schema, seed: int = 0) -> nn.Module:
    """A fresh model. Its initial weights depend on `seed` alone, not on the caller's generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: nn.Module = load_target(entry.spec.target)(settings, schema)
    return model
