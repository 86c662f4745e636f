"""Test figures of one run: of the weights that were best on validation, and of the last round."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch_geometric.data import Data

from intertwiner.atomic import write_atomically
from intertwiner.data.batches import Batches
from intertwiner.federated.state import STATE
from intertwiner.fields import Field, Label
from intertwiner.registry import Registry
from intertwiner.training.run import load_run
from intertwiner.training.state import unprefixed
from intertwiner.training.task import Task, build_task
from intertwiner.training.tensors import load_tensors
from intertwiner_fedchem.metrics.errors import mean_rmse
from intertwiner_fedchem.metrics.ranking import mean_auc

__all__ = ["RunFigures", "evaluate_run", "figure_of", "labels_of", "scores_of"]

Matrix = NDArray[np.float64]
STORED = "benchmark.json"


@dataclass(frozen=True, slots=True)
class RunFigures:
    """RMSE (scalars) or mean AUC (labels) on the test molecules, and on those of scaffolds that no
    training molecule has. best: weights of the best validation round; final: of the last one.
    """

    best: float
    final: float
    best_new_scaffolds: float
    final_new_scaffolds: float
    skipped_tasks: int


def evaluate_run(folder: Path, registry: Registry) -> RunFigures:
    """Computed once and kept in the run folder."""
    stored, state = folder / STORED, folder / STATE
    if stored.exists() and stored.stat().st_mtime >= state.stat().st_mtime:
        return RunFigures(**json.loads(stored.read_text(encoding="utf-8")))
    run = load_run(folder, registry)
    task = build_task(registry, run.config)
    best = _figures(run.model, task)
    arrays = unprefixed("arrays", load_tensors(state)[0])
    run.model.load_state_dict(arrays)
    final = _figures(run.model, task)
    _, skipped = figure_of(task.schema.targets, *_test(run.model, task)[:2])
    found = RunFigures(best[0], final[0], best[1], final[1], skipped)
    write_atomically(stored, [json.dumps(asdict(found)).encode()])
    return found


def _figures(model: nn.Module, task: Task) -> tuple[float, float]:
    scores, truth, new = _test(model, task)
    fields = task.schema.targets
    return figure_of(fields, scores, truth)[0], figure_of(fields, scores[new], truth[new])[0]


def _test(model: nn.Module, task: Task) -> tuple[Matrix, Matrix, NDArray[np.bool_]]:
    """Scores, labels, and which test molecules have a scaffold that training molecules have not."""
    records, fields = task.parts["test"], task.schema.targets
    known = {int(record.scaffold) for record in task.parts["train"]}
    new = np.array([int(record.scaffold) not in known for record in records])
    return scores_of(model, fields, records), labels_of(fields, records), new


def figure_of(fields: Sequence[Field], scores: Matrix, truth: Matrix) -> tuple[float, int]:
    """RMSE, or mean AUC with the number of tasks left out."""
    if isinstance(fields[0].rep, Label):
        found = mean_auc(scores, truth)
        return found.value, found.skipped
    return mean_rmse(scores, truth), 0


def scores_of(model: nn.Module, fields: Sequence[Field], records: Sequence[Data]) -> Matrix:
    """[molecules, targets]: predictions, of a label the score of its class 1 over that of 0."""
    model.eval()
    rows = []
    with torch.no_grad():
        for batch in Batches(records, 256, shuffle=False).epoch():
            given = model(batch)
            columns = [_column(field, given[field.name]) for field in fields]
            rows.append(torch.stack(columns, 1).double().numpy())
    return np.concatenate(rows)


def _column(field: Field, values: torch.Tensor) -> torch.Tensor:
    return values[:, 1] - values[:, 0] if isinstance(field.rep, Label) else values


def labels_of(fields: Sequence[Field], records: Sequence[Data]) -> Matrix:
    """[molecules, targets], NaN where missing."""
    columns = []
    for field in fields:
        values = np.array([float(record[field.name]) for record in records])
        missing = isinstance(field.rep, Label)
        columns.append(np.where(values < 0, np.nan, values) if missing else values)
    return np.stack(columns, 1)
