"""The main job, through the command line: train on molecules, evaluate, predict for own files."""

from __future__ import annotations

import csv
import json
import math
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]
WATER = [("O", 0.0, 0.0, 0.119), ("H", 0.0, 0.763, -0.477), ("H", 0.0, -0.763, -0.477)]


def xyz(atoms: list[tuple[str, float, float, float]]) -> str:
    rows = [f"{element} {x:.4f} {y:.4f} {z:.4f}" for element, x, y, z in atoms]
    return "\n".join([str(len(rows)), "", *rows]) + "\n"


def sdf(atoms: list[tuple[str, float, float, float]]) -> str:
    rows = [f"{x:10.4f}{y:10.4f}{z:10.4f} {element:<3} 0  0" for element, x, y, z in atoms]
    counts = f"{len(rows):3d}  2  0  0  0  0  0  0  0  0999 V2000"
    bonds = ["  1  2  1  0", "  1  3  1  0"]
    return "\n".join(["water", "", "", counts, *rows, *bonds, "M  END", "$$$$"]) + "\n"


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory, intertwiner: Command) -> Path:
    """One epoch of the depthwise network on 64 molecules."""
    folder = tmp_path_factory.mktemp("molecules") / "run"
    done = intertwiner(
        "train", "equivariant-conv/depthwise", "atoms/gfn2-small", "--out", folder, "--json",
        "--data.limit", 64, "--training.epochs", 1, "--training.accelerator", "cpu",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["finished"]
    assert report["steps"] == 2
    return folder


def test_evaluate_reports_the_dipole_in_debye_beside_its_control(intertwiner, run_folder):
    done = intertwiner("evaluate", run_folder, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    names = [metric["name"] for metric in report["metrics"]]
    assert names == ["dipole/mae", "dipole/rmse", "dipole/length_mae"]
    for metric in [*report["metrics"], *report["controls"]]:
        assert metric["unit"] == "debye"
        assert metric["records"] == 418
        assert math.isfinite(metric["value"])
        assert metric["error"] > 0


def test_one_molecule_has_one_dipole_whatever_the_file_format(intertwiner, run_folder, tmp_path):
    (tmp_path / "water.xyz").write_text(xyz(WATER))
    (tmp_path / "water.sdf").write_text(sdf(WATER))
    turned = [(element, -y, x, z) for element, x, y, z in WATER]
    (tmp_path / "turned.xyz").write_text(xyz(turned))
    files = [tmp_path / name for name in ("water.xyz", "water.sdf", "turned.xyz")]
    done = intertwiner("predict", run_folder, *files, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["units"] == {"dipole": "debye"}
    assert [row["file"] for row in report["predictions"]] == [str(path) for path in files]
    from_xyz, from_sdf, from_turned = (row["values"]["dipole"] for row in report["predictions"])
    assert from_sdf == pytest.approx(from_xyz, abs=1e-5)
    assert from_xyz[:2] == pytest.approx([0.0, 0.0], abs=1e-5)
    assert from_turned == pytest.approx(from_xyz, abs=1e-5)


def test_forces_are_a_row_for_every_atom_of_molecules_of_any_size(intertwiner, tmp_path):
    done = intertwiner(
        "train", "depthwise", "gfn2-small", "--out", tmp_path / "run", "--quiet",
        "--data.limit", 32, "--training.epochs", 1, "--training.accelerator", "cpu",
        "--data.targets", "[energy, forces]", "--model.channels", 4,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (tmp_path / "water.xyz").write_text(xyz(WATER))
    (tmp_path / "atom.xyz").write_text(xyz(WATER[:1]))
    done = intertwiner("predict", tmp_path / "run", tmp_path / "water.xyz", tmp_path / "atom.xyz")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [(row["record"], row["node"]) for row in rows] == [
        ("water", "0"), ("water", "1"), ("water", "2"), ("atom", "0"),
    ]  # fmt: skip
    for axis in "xyz":
        total = sum(float(row[f"forces.{axis} [eV/angstrom]"]) for row in rows[:3])
        assert total == pytest.approx(0.0, abs=1e-4)
        assert float(rows[3][f"forces.{axis} [eV/angstrom]"]) == 0.0
    assert len({row["energy [eV]"] for row in rows[:3]}) == 1


def test_an_element_not_trained_on_is_one_clear_line(intertwiner, run_folder, tmp_path):
    chloride = [("Cl" if element == "O" else element, *place) for element, *place in WATER]
    (tmp_path / "good.xyz").write_text(xyz(WATER))
    (tmp_path / "chloride.xyz").write_text(xyz(chloride))
    done = intertwiner("predict", run_folder, tmp_path / "good.xyz", tmp_path / "chloride.xyz")
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {tmp_path / 'chloride.xyz'}: ")
    assert "element Cl (17)" in line
    assert "H (1), C (6), N (7), O (8), F (9)" in line


def test_a_file_that_is_not_there_is_one_clear_line(intertwiner, run_folder, tmp_path):
    done = intertwiner("predict", run_folder, tmp_path / "absent.xyz")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "absent.xyz" in line
