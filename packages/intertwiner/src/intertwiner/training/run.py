"""A finished run, opened again: its model, predictions for new records, errors on the test part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from intertwiner.data.batches import Batches
from intertwiner.elements import element_name
from intertwiner.errors import ConfigError, DataError, RunError
from intertwiner.fields import GRAPH, Field
from intertwiner.registry import Entry, Registry, load_registry
from intertwiner.schema import Schema
from intertwiner.specs import ModelSpec
from intertwiner.training.checkpoint import load_model
from intertwiner.training.environment import deterministic
from intertwiner.training.figures import figure_fields, figures_of
from intertwiner.training.folder import RunFolder
from intertwiner.training.metrics import Metric, average, control, evaluate_target
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

    @property
    def outputs(self) -> tuple[Field, ...]:
        """What `predict` gives: the targets; of a model without any, its figures of a record."""
        return self.schema.targets or figure_fields(self.model)

    def predict(self, records: Sequence[Data], batch_size: int = 64) -> list[dict[str, Tensor]]:
        """Predictions of every field of `outputs`, one dictionary per record, on the CPU.

        Shapes are those of the record's own labels: graph fields `[1, ...]`, node fields
        `[nodes, ...]`. A record need not carry labels. Raises `DataError` for a record with an
        element (node label) the model was not built for.
        """
        of_batch = self.model if self.schema.targets else partial(figures_of, self.model)
        return list(self._each(of_batch, self.outputs, records, batch_size))

    def figures(self, records: Sequence[Data], batch_size: int = 64) -> list[dict[str, Tensor]]:
        """The figures that the model gives of every record itself, such as {"nll": [1]}."""
        of_batch = partial(figures_of, self.model)
        return list(self._each(of_batch, figure_fields(self.model), records, batch_size))

    def _each(
        self,
        of_batch: Callable[[Batch], dict[str, Tensor]],
        fields: Sequence[Field],
        records: Sequence[Data],
        batch_size: int,
    ) -> Iterator[dict[str, Tensor]]:
        for record in records:
            self._check_species(record)
        with deterministic(0), torch.no_grad():
            for batch in Batches(records, batch_size, shuffle=False).epoch():
                yield from _split(fields, batch, of_batch(batch))

    def sample(self, n: int, *, seed: int = 0, batch_size: int = 256) -> list[Data]:
        """`n` samples of a generative model, the same for the same seed and `batch_size`.

        A record may carry `log_prob` [1] in nats. Raises `ConfigError` when the model does not
        sample.
        """
        parts = self.samples(n, seed=seed, batch_size=batch_size)
        return [record for part in parts for record in part]

    def samples(self, n: int, *, seed: int = 0, batch_size: int = 256) -> Iterator[list[Data]]:
        """As `sample`, at most `batch_size` records at a time, for showing progress."""
        make = getattr(self.model, "sample", None)
        if make is None:
            raise ConfigError(
                f"{self.entry.id} cannot sample: it has no sample(n, *, generator); models that "
                "can are those of a density, see: intertwiner list models"
            )
        if n < 1:
            raise ConfigError(f"{n} samples: ask for 1 or more")
        generator = torch.Generator().manual_seed(seed)
        for first in range(0, n, batch_size):
            count = min(batch_size, n - first)
            with deterministic(0), torch.no_grad():
                torch.manual_seed(seed + first)
                records: list[Data] = make(count, generator=generator)
            if len(records) != count:
                raise RunError(f"{self.entry.id}: {count} samples asked for, {len(records)} given")
            yield [_named(record, first + number) for number, record in enumerate(records)]

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
        figures = self.figures(records)
        for field in figure_fields(self.model):
            metrics.append(average(field, torch.cat([each[field.name] for each in figures])))
        return Evaluation(tuple(metrics), tuple(controls))

    def _check_species(self, record: Data) -> None:
        if not self.schema.species or "z" not in record:
            return
        unknown = sorted(set(record.z.tolist()) - set(self.schema.species))
        if unknown:
            raise DataError(
                f"record {record.get('name', '')!r}: element {element_name(unknown[0])} is not "
                "among those the model was trained on: "
                f"{', '.join(map(element_name, self.schema.species))}"
            )


def _named(record: Data, number: int) -> Data:
    """The record on the CPU, with a name if it has none."""
    record = record.cpu()
    if "name" not in record:
        record.name = f"sample-{number}"
    return record


def _split(
    fields: Sequence[Field], batch: Batch, output: dict[str, Tensor]
) -> Iterator[dict[str, Tensor]]:
    """The outputs of a batch, record by record."""
    columns = {field.name: _rows(field, output[field.name].cpu(), batch) for field in fields}
    for number in range(batch.num_graphs):
        yield {name: rows[number] for name, rows in columns.items()}


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
