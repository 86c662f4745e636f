"""The studies of equivariant-conv from end to end, on a handful of molecules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from intertwiner.registry import Registry, load_registry
from intertwiner.specs import Scale
from intertwiner.training.folder import RunFolder
from intertwiner.training.loop import train
from intertwiner.training.recipes import Report, reproduce
from intertwiner.training.run import load_run
from intertwiner.training.task import Task, build_config, build_task

SMALLER = {
    "training.epochs": 1,
    "training.threads": 1,
    "training.accelerator": "cpu",
    "training.batch_size": 16,
}
SMALLER_NETWORK = {"model.embed": 4, "model.radial_hidden": 4, "model.radial_basis": 4}
FIGURE = {"name", "value", "spread", "seeds", "unit", "published", "source", "required"}


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


@pytest.fixture(scope="module")
def few(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 molecules of `gfn2-small` as a npz file, with every label the studies learn."""
    targets = ["energy", "homo", "lumo", "dipole", "charges", "polarizability_mean"]
    config = build_config(
        registry, "depthwise", "gfn2-small", {"data": {"targets": targets, "limit": 48}}
    )
    records = list(build_task(registry, config).parts["train"])
    path = tmp_path_factory.mktemp("few") / "few.npz"
    mean = np.array([float(record.polarizability_mean) for record in records])
    columns = {"energy_eV": "energy", "homo_eV": "homo", "lumo_eV": "lumo", "dipole_D": "dipole"}
    per_atom = {"z": "z", "pos": "pos", "charges_e": "charges"}
    np.savez(
        path,
        n_atoms=np.array([len(record.z) for record in records]),
        polarizability_bohr3=np.repeat(mean[:, None], 3, axis=1),
        **{key: joined(records, name) for key, name in (columns | per_atom).items()},
    )
    return path


def joined(records: Sequence[Data], name: str) -> Any:
    return torch.cat([record[name] for record in records]).numpy()


def run(registry: Registry, name: str, few: Path, out: Path, changes: Mapping[str, Any]) -> Report:
    """A recipe with one seed on the molecules of a file, one epoch."""
    entry = registry.recipe(name)
    small = entry.spec.scales["small"]
    overrides = {**small.overrides, **SMALLER, **changes, "data.path": str(few)}
    scale = Scale(overrides=overrides, seeds=(0,), dataset="atoms/npz-molecules")
    spec = replace(entry.spec, scales={"small": scale})
    return reproduce(registry, replace(entry, spec=spec), "small", out, progress=False)


def test_the_angular_study_runs_and_its_table_has_all_arms(
    registry: Registry, few: Path, tmp_path: Path
) -> None:
    report = run(registry, "angular-study", few, tmp_path, SMALLER_NETWORK)
    rows = {row[0] for row in report.rows}
    arms = {arm.name for arm in registry.recipe("angular-study").spec.arms}
    assert len(arms) == 11
    assert arms <= rows
    assert all(np.isfinite(figure.value) for figure in report.figures)
    published = {f.name: f.published for f in report.figures if f.published is not None}
    assert sorted(published.values()) == [4.0, 4.0, 23.0, 23.0]
    assert all(set(asdict(figure)) == FIGURE for figure in report.figures)
    assert len(report.pictures) == 2 or any("left out" in note for note in report.notes)


def test_all_five_readouts_run_and_the_scalar_ones_have_no_vector(
    registry: Registry, few: Path, tmp_path: Path
) -> None:
    changes = {"model.layers": 1, "model.radial_hidden": (4,)}
    report = run(registry, "dipole-readouts", few, tmp_path, changes)
    rows = {row[0]: row for row in report.rows}
    arms = [arm.name for arm in registry.recipe("dipole-readouts").spec.arms]
    assert len(arms) == 5
    for arm in arms:
        assert float(rows[arm][2]) > 0
        assert (rows[arm][3] == "-") == ("scalar" in arm)
    assert all(set(asdict(figure)) == FIGURE for figure in report.figures)


def trained_on(task: Task, records: Sequence[Data], folder: Path) -> tuple[float, float]:
    """(error, error of zero) on the test part, after training on `records`."""
    task = replace(task, parts={**task.parts, "train": records, "validation": records})
    train(task, RunFolder(folder), progress=False)
    found = load_run(folder).evaluate("test")
    return found.metrics[0].value, found.controls[0].value


def test_labels_that_were_shuffled_teach_nothing(registry: Registry, tmp_path: Path) -> None:
    training = {
        "epochs": 3,
        "learning_rate": 3e-2,
        "average_decay": 0.5,
        "threads": 1,
        "accelerator": "cpu",
    }
    model = {"channels": 8, "layers": 2, "radial_hidden": (8,)}
    layers = {"model": model, "data": {"limit": 320}, "training": training}
    task = build_task(registry, build_config(registry, "depthwise", "gfn2-small", layers))
    records = [record.clone() for record in task.parts["train"]]
    error, control = trained_on(task, records, tmp_path / "true")
    assert error < 0.9 * control
    order = torch.randperm(len(records), generator=torch.Generator().manual_seed(0)).tolist()
    labels = [records[number].dipole.clone() for number in order]
    for record, label in zip(records, labels, strict=True):
        record.dipole = label
    error, control = trained_on(task, records, tmp_path / "shuffled")
    assert error > 0.97 * control
