"""A finished run, opened again: its model, predictions for new records, errors on the test part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from intertwiner.data.batches import Batches
from intertwiner.errors import DataError
from intertwiner.fields import GRAPH, Field
from intertwiner.registry import Entry, Registry, load_registry
from intertwiner.schema import Schema
from intertwiner.specs import ModelSpec
from intertwiner.training.checkpoint import load_model
from intertwiner.training.environment import deterministic
from intertwiner.training.folder import RunFolder
from intertwiner.training.metrics import Metric, control, evaluate_target
from intertwiner.training.settings import RunConfig
from intertwiner.training.task import SECTIONS, build_config, build_task

__all__ = ["Evaluation", "Run", "load_run"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of a model, and of the constant predictions it has to beat."""

    metrics: tuple[Metric, ...]
    controls: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A trained model with what it was trained on. The model is in evaluation mode."""

    path: Path
    config: RunConfig
    entry: Entry[ModelSpec]
    model: nn.Module
    schema: Schema

    def predict(self, records: Sequence[Data], batch_size: int = 64) -> list[dict[str, Tensor]]:
        """Predictions of every target, one dictionary per record, on the CPU.

        Shapes are those of the record's own labels: graph fields `[1, ...]`, node fields
        `[nodes, ...]`. A record need not carry labels. Raises `DataError` for a record with an
        element (node label) the model was not built for.
        """
        for record in records:
            self._check_species(record)
        found: list[dict[str, Tensor]] = []
        with deterministic(0), torch.no_grad():
            for batch in Batches(records, batch_size, shuffle=False).epoch():
                found += self._split(batch, self.model(batch))
        return found

    def evaluate(self, part: str = "test", registry: Registry | None = None) -> Evaluation:
        """The errors on one part of the run's own dataset and split, beside those of a constant."""
        task = build_task(registry or load_registry(), self.config)
        records, training = task.parts[part], task.parts["train"]
        predictions = self.predict(records)
        metrics: list[Metric] = []
        controls: list[Metric] = []
        for field in self.schema.targets:
            truth = [record[field.name] for record in records]
            predicted = [prediction[field.name] for prediction in predictions]
            metrics += evaluate_target(field, predicted, truth)
            controls.append(control(field, [record[field.name] for record in training], truth))
        return Evaluation(tuple(metrics), tuple(controls))

    def _check_species(self, record: Data) -> None:
        if not self.schema.species or "z" not in record:
            return
        unknown = sorted(set(record.z.tolist()) - set(self.schema.species))
        if unknown:
            raise DataError(
                f"record {record.get('name', '')!r}: element {unknown[0]} is not among those the "
                f"model was trained on ({', '.join(map(str, self.schema.species))})"
            )

    def _split(self, batch: Batch, output: dict[str, Tensor]) -> list[dict[str, Tensor]]:
        columns = {
            field.name: _rows(field, output[field.name].cpu(), batch)
            for field in self.schema.targets
        }
        return [
            {name: rows[number] for name, rows in columns.items()}
            for number in range(batch.num_graphs)
        ]


def _rows(field: Field, values: Tensor, batch: Batch) -> tuple[Tensor, ...]:
    if field.site == GRAPH:
        return values.split(1)
    return values.split((batch.ptr[1:] - batch.ptr[:-1]).tolist())


def load_run(path: str | Path, registry: Registry | None = None) -> Run:
    """Opens the run folder `path`.

    Raises `RunError` when it is none, or when its model is damaged or of another version.
    """
    registry = registry or load_registry()
    folder = RunFolder(Path(path))
    stored = folder.read_config()
    loaded = load_model(registry, folder.path)
    config = config_of(stored, registry)
    return Run(folder.path, config, loaded.entry, loaded.model, loaded.schema)


def config_of(stored: dict[str, Any], registry: Registry) -> RunConfig:
    """The settings in `config.yaml`."""
    sections = {name: stored[name] for name in SECTIONS if name in stored}
    return build_config(registry, stored["model_id"], stored["dataset_id"], sections)
