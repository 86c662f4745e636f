"""Recipes end to end, at a size that trains in seconds."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.data import Data

from intertwiner.elements import SYMBOLS
from intertwiner.errors import LookupFailed
from intertwiner.registry import load_registry
from intertwiner.specs import Arm, Scale, load_target
from intertwiner.training.recipes import Report, arm_config, reproduce
from intertwiner_enflow.recipes.specs import recipe_specs

TINY = {
    "model.layers": 2,
    "model.features": 8,
    "training.epochs": 1,
    "training.batch_size": 100,
    "training.threads": 1,
}


def tiny_run(name: str, out: Path, arms: tuple[str, ...], **overrides: Any) -> Report:
    """The recipe's own report of arms trained for one epoch."""
    registry = load_registry()
    entry = registry.recipe(f"enflow/{name}")
    plain = tuple(Arm(name=arm.name, model=arm.model) for arm in entry.spec.arms)
    scale = Scale(
        overrides={**TINY, **overrides},
        seeds=(0,),
        arms=tuple(arm for arm in plain if arm.name in arms),
    )
    spec = replace(entry.spec, scales={"tiny": scale})
    return reproduce(registry, replace(entry, spec=spec), "tiny", out, progress=False)


@pytest.mark.filterwarnings("ignore:an effective sample size")
@pytest.mark.parametrize(
    ("name", "extra", "picture"),
    [("dw4", {}, "samples.png"), ("lj13", {"data.pair": "double"}, "film.png")],
)
def test_particles_are_measured_beside_controls(
    name: str, extra: dict[str, Any], picture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intertwiner_enflow.recipes.particles._SAMPLES", 40)
    found = tiny_run(name, tmp_path, ("fast",), **{"data.source": "excerpt"}, **extra)
    rows = [row[0] for row in found.rows]
    assert rows == [
        "fast",
        "control: identity",
        "control: fitted Gaussian",
        "floor: the target's entropy",
    ]
    figures = {figure.name: figure for figure in found.figures}
    assert figures["fast/KL(p|q)"].value > 0
    assert (tmp_path / picture).is_file() or any("left out" in note for note in found.notes)


def test_molecules_are_sampled_scored_and_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("intertwiner_atoms")
    monkeypatch.setattr("intertwiner_enflow.recipes.molecules._SAMPLES", 12)
    monkeypatch.setattr(
        "intertwiner_enflow.joint_model.MoleculeFlow.record_figures",
        lambda self, batch: {"nll": torch.zeros(batch.num_graphs)},
    )
    found = tiny_run(
        "gfn2-joint", tmp_path, ("joint",), **{"model.dequantizer_layers": 1, "data.limit": 300}
    )
    rows = {row[0].partition(" (")[0]: row for row in found.rows}
    assert float(rows["true"][1]) > 98.0
    assert float(rows["control: Gaussian cloud"][2]) == 0.0
    assert (tmp_path / "samples.sdf").is_file()
    assert any("mirror images" in note for note in found.notes)


ENERGIES = "\t".join(["0.0"] * 15)
REFERENCES = "\n".join(f" {symbol} 0.0 0.0 0.0 0.0 0.0 0.0" for symbol in ("H", "C", "N", "O", "F"))


def write_qm9(folder: Path, records: Iterable[Data]) -> dict[str, Path]:
    """The three files by their names."""
    archive = folder / "dsgdb9nsd.xyz.tar.bz2"
    with tarfile.open(archive, "w:bz2") as file:
        for index, record in enumerate(records, start=1):
            text = _text(index, record).encode()
            info = tarfile.TarInfo(f"dsgdb9nsd_{index:06d}.xyz")
            info.size = len(text)
            file.addfile(info, io.BytesIO(text))
    dropped, references = folder / "uncharacterized.txt", folder / "atomref.txt"
    dropped.write_text("header\n\n  Index  smiles\n      2  C  C\n\nfooter\n")
    references.write_text(f"=====\n Ele-\n ment\n=====\n{REFERENCES}\n=====\n")
    return {path.name: path for path in (archive, dropped, references)}


def _text(index: int, record: Data) -> str:
    rows = [
        "\t".join([SYMBOLS[number], *(f"{value:.6f}" for value in place), "0.0"])
        for number, place in zip(record.z.tolist(), record.pos.tolist(), strict=True)
    ]
    head = f"{len(rows)}\ngdb {index}\t{ENERGIES}"
    return "\n".join([head, *rows, "1.0", "C\tC", "InChI=1S\tInChI=1S"]) + "\n"


@pytest.fixture
def qm9(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """QM9 as its user would have it: archives of its form, with molecules of the embedded set."""
    atoms = pytest.importorskip("intertwiner_atoms.datasets.qm9")
    registry = load_registry()
    entry = registry.dataset("atoms/gfn2-small")
    source = load_target(entry.spec.target)(load_target(entry.spec.config)())
    chosen = [record for record in source if record.num_nodes == 19][:40]
    chosen += [record for record in source if record.num_nodes < 9][:60]
    files = write_qm9(tmp_path, chosen)
    monkeypatch.setattr(atoms, "fetch", lambda source, dataset: files[source.filename])
    small = "intertwiner_enflow.recipes"
    monkeypatch.setattr(f"{small}.molecules._SAMPLES", 8)
    monkeypatch.setattr(f"{small}.molecules._FILMED", 1)
    monkeypatch.setattr(f"{small}.positions._SAMPLES", 8)


def test_qm9_archives_are_learned_from_whole(qm9: None, tmp_path: Path) -> None:
    joint = {"model.exact_directions": 0, "model.tolerance": 1e-3}
    found = tiny_run("qm9-joint", tmp_path / "joint", ("joint",), **joint)
    rows = {row[0].partition(" (")[0] for row in found.rows}
    assert {"sampled", "true", "control: elements shuffled"} <= rows
    assert (tmp_path / "joint" / "molecules.html").is_file()
    nineteen = {"data.of": "atoms/qm9", "data.atoms": 19, "model.tolerance": 1e-3}
    found = tiny_run("qm9-positional", tmp_path / "positional", ("fast",), **nineteen)
    assert [row[0] for row in found.rows] == ["fast"]
    assert {figure.name for figure in found.figures} == {"fast/NLL", "fast/JS of distances"}


@pytest.mark.parametrize("spec", list(recipe_specs()), ids=lambda spec: spec.name)
def test_every_setting_of_every_scale_exists(spec: Any) -> None:
    """All arms of all scales make a config, and the report is there."""
    registry = load_registry()
    try:
        registry.dataset(spec.dataset)
    except LookupFailed:
        pytest.skip(f"{spec.dataset} is not installed")
    for scale in spec.scales.values():
        for arm in scale.arms or spec.arms:
            config = arm_config(registry, spec, scale, arm, 0)
            assert config.training.threads == 1
    assert callable(load_target(spec.report))
