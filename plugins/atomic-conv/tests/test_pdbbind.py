"""Folders in the form of PDBbind, made up: labels, losses with reasons, splits, leak lists."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from intertwiner.api import fit
from intertwiner.errors import ConfigError, DataError
from intertwiner_atomic_conv.config import PdbbindConfig
from intertwiner_atomic_conv.datasets.leak_lists import LeakLists, clean_split, read_leak_lists
from intertwiner_atomic_conv.datasets.pdbbind import load
from intertwiner_atomic_conv.evaluation.cleansplit import side_by_side

CODES = [f"1a{number:02d}" for number in range(30)]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, structure_texts: tuple[str, str]) -> Path:
    """Thirty complexes, one of them without a ligand, one with a bound for a label."""
    pytest.importorskip("intertwiner_atoms")
    monkeypatch.setenv("INTERTWINER_DATA", str(tmp_path / "cache"))
    folder, (pdb, sdf) = tmp_path / "refined-set", structure_texts
    lines = ["# code, resolution, year, pK, value // reference (ligand)"]
    for number, code in enumerate(CODES):
        here = folder / code
        here.mkdir(parents=True)
        (here / f"{code}_protein.pdb").write_text(pdb)
        (here / f"{code}_pocket.pdb").write_text(pdb)
        (here / f"{code}_ligand.sdf").write_text(sdf)
        lines.append(f"{code}  2.0  {1990 + number}  {3 + 0.1 * number:.2f}  Ki=?  // x.pdf (LIG)")
    (folder / CODES[3] / f"{CODES[3]}_ligand.sdf").unlink()
    values = [f"{10 ** (6 - 0.1 * number):.6g}nM" for number in range(30)]
    lines[1:] = [line.replace("?", value) for line, value in zip(lines[1:], values, strict=True)]
    lines[6] = lines[6].replace("Ki=", "Ki<")
    lines.append("2zzz  2.0  2001  5.00  Kd=10uM // not.pdf (A BLANK)")
    (folder / "INDEX_refined_data.2020").write_text("\n".join(lines))
    return folder


def test_a_folder_becomes_records_and_every_loss_is_told(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        dataset = load(PdbbindConfig(root=str(root)))
    assert len(dataset) == 28
    first = next(iter(dataset))
    assert str(first.name) == "1a00"
    assert float(first.pK) == pytest.approx(3.0, abs=1e-3)
    assert float(first.dG) == pytest.approx(-1.3643 * 3.0, abs=1e-2)
    assert "no folder that can be read 1a03, 2zzz" in caplog.text
    assert "the label is a bound (<) 1a05" in caplog.text
    (told,) = tmp_path.rglob("*left-out.json")
    report = json.loads(told.read_text())
    assert set(report["missing"]) == {"1a03", "1a05", "2zzz"}
    assert any("1a03" in name for name in report["failures"])


@pytest.mark.parametrize("split", ["stratified", "year-stratified", "temporal"])
def test_splits_by_label_and_year(root: Path, split: str) -> None:
    dataset = load(PdbbindConfig(root=str(root), split=split))
    parts = [dataset.part(name, split).indices for name in ("train", "validation", "test")]
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(dataset)))
    if split == "temporal":
        names = [[str(record.name) for record in dataset.part(p, split)] for p in ("train", "test")]
        assert max(names[0]) < min(names[1])


def test_pockets_are_read_where_they_are_asked_for(root: Path) -> None:
    for path in root.rglob("*_protein.pdb"):
        path.unlink()
    assert len(load(PdbbindConfig(root=str(root), pocket=True))) == 28


def leak_file(path: Path, **changes: object) -> Path:
    content = {
        "train": [code.upper() for code in CODES[:20]],
        "casf2016": CODES[20:28],
        "casf2016_indep": CODES[25:28],
    }
    path.write_text(json.dumps({**content, **changes}))
    return path


def test_cleansplit_restricts_training_and_has_two_test_sets(root: Path, tmp_path: Path) -> None:
    lists = leak_file(tmp_path / "cleansplit.json")
    dataset = load(PdbbindConfig(root=str(root), split="cleansplit", cleansplit=str(lists)))
    names = {
        (scheme, part): {str(record.name) for record in dataset.part(part, scheme)}
        for scheme in ("cleansplit", "cleansplit-independent")
        for part in ("train", "validation", "test")
    }
    assert names["cleansplit", "test"] == set(CODES[20:28])
    assert names["cleansplit-independent", "test"] == set(CODES[25:28])
    for part in ("train", "validation"):
        assert names["cleansplit", part] == names["cleansplit-independent", part]
        assert names["cleansplit", part] <= set(CODES[:20])


def test_cleansplit_without_lists_or_with_wrong_ones_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--data.cleansplit FILE"):
        load(PdbbindConfig(root=str(root), split="cleansplit"))
    path = tmp_path / "lists.json"
    with pytest.raises(DataError, match="'casf2016_indep' must be a list of PDB codes"):
        read_leak_lists(leak_file(path, casf2016_indep=3), "casf2016")
    with pytest.raises(DataError, match="1a20 is in 'train' and in 'casf2016'"):
        read_leak_lists(leak_file(path, train=["1A20"]), "casf2016")
    path.write_text("<html>")
    with pytest.raises(DataError, match="cannot be read as JSON"):
        read_leak_lists(path, "casf2016")
    empty = LeakLists(frozenset(["9zzz"]), frozenset(CODES), frozenset(CODES))
    with pytest.raises(DataError, match="none of the 1 complexes of the training list"):
        clean_split(CODES, empty)


@pytest.mark.fault("F05")
def test_a_folder_without_an_index_is_refused(root: Path) -> None:
    (root / "INDEX_refined_data.2020").unlink()
    with pytest.raises(DataError, match="no INDEX_"):
        load(PdbbindConfig(root=str(root)))
    with pytest.raises(ConfigError, match=r"--data\.root FOLDER"):
        load(PdbbindConfig())


def quick_run(dataset: str, out: Path, **data: object) -> Path:
    settings = {f"data.{name}": value for name, value in data.items()}
    quick = {"training.epochs": 1, "training.accelerator": "cpu"}
    fit("atomic-conv/cross", dataset, out=out, settings={**settings, **quick}, progress=False)
    return out


def test_both_test_sets_of_a_run_stand_side_by_side(root: Path, tmp_path: Path) -> None:
    lists = {"cleansplit": str(leak_file(tmp_path / "lists.json")), "split": "cleansplit"}
    run = quick_run("atomic-conv/pdbbind", tmp_path / "run", root=str(root), **lists)
    found = side_by_side(run)
    assert {name: count for name, (count, _) in found.items()} == {
        "all of the core set": 8,
        "independent of training": 3,
    }
    assert all(np.isfinite(figures["RMSE"]) for _, figures in found.values())
    other = quick_run("atomic-conv/synthetic-pockets", tmp_path / "other", count=20)
    with pytest.raises(ConfigError, match="not a run on atomic-conv/pdbbind"):
        side_by_side(other)
