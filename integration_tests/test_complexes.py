"""Complexes from files to affinities: two files read, scored in Python, predicted by command."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from intertwiner.errors import DataError
from intertwiner_atomic_conv import Scorer, score
from intertwiner_atoms import read_complex

Command = Callable[..., subprocess.CompletedProcess[str]]
PROTEIN = """\
ATOM      1  N   SER A   1       0.000   0.000   0.000  1.00  0.00           N
ATOM      2  CA  SER A   1       1.458   0.000   0.000  1.00  0.00           C
ATOM      3  C   SER A   1       2.009   1.420   0.000  1.00  0.00           C
ATOM      4  O   SER A   1       1.251   2.390   0.000  1.00  0.00           O
ATOM      5  CB  SER A   1       1.988  -0.773  -1.199  1.00  0.00           C
ATOM      6  OG  SER A   1       1.500  -2.100  -1.150  1.00  0.00           O
ATOM      7  N   CYS A   2       3.335   1.540   0.000  1.00  0.00           N
ATOM      8  CA  CYS A   2       3.985   2.845   0.000  1.00  0.00           C
ATOM      9  C   CYS A   2       5.500   2.700   0.000  1.00  0.00           C
ATOM     10  O   CYS A   2       6.050   1.600   0.000  1.00  0.00           O
ATOM     11  CB  CYS A   2       3.560   3.680  -1.205  1.00  0.00           C
ATOM     12  SG  CYS A   2       4.150   5.395  -1.150  1.00  0.00           S
END
"""
POSE = [("C", 2.0, 1.0, 3.6), ("C", 3.2, 1.6, 4.2), ("O", 3.3, 2.9, 3.9)]
FAR = 50.0
"""angstrom."""


def sdf(name: str, z_shift: float = 0.0) -> str:
    rows = [f"{x:10.4f}{y:10.4f}{z + z_shift:10.4f} {symbol:<3} 0  0" for symbol, x, y, z in POSE]
    counts = f"{len(rows):3d}  2  0  0  0  0  0  0  0  0999 V2000"
    bonds = ["  1  2  1  0", "  2  3  1  0"]
    return "\n".join([name, "", "", counts, *rows, *bonds, "M  END", "$$$$"]) + "\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """protein.pdb, pose.sdf, poses.sdf with two records, far.sdf 50 angstrom away."""
    folder = tmp_path_factory.mktemp("complexes")
    (folder / "protein.pdb").write_text(PROTEIN)
    (folder / "pose.sdf").write_text(sdf("pose"))
    (folder / "poses.sdf").write_text(sdf("pose") + sdf("deeper", -0.3))
    (folder / "far.sdf").write_text(sdf("far", FAR))
    return folder


@pytest.fixture(scope="module")
def run_folder(files: Path, intertwiner: Command) -> Path:
    """One epoch of the smooth cross graph on 40 generated pockets."""
    folder = files / "run"
    done = intertwiner(
        "train", "atomic-conv/cross", "atomic-conv/synthetic-pockets", "--out", folder, "--json",
        "--data.count", 40, "--training.epochs", 1, "--training.accelerator", "cpu",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["finished"]
    return folder


@pytest.fixture(scope="module")
def predicted(intertwiner: Command) -> Callable[..., list[float]]:
    """`predicted(run, protein, ligand, *more)`: the pK that the command gives, one per ligand."""

    def predict(run: Path, protein: Path, ligand: Path, *more: str) -> list[float]:
        pair = ("--protein", protein, "--ligand", ligand)
        done = intertwiner("predict", run, *pair, "--json", *more)
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["units"] == {"pK": "pK"}
        return [row["values"]["pK"] for row in report["predictions"]]

    return predict


def test_the_default_model_scores_what_the_reader_gives(files):
    protein, ligand = files / "protein.pdb", files / "pose.sdf"
    record, _ = read_complex(protein, ligand)
    assert record.part.tolist() == [1] * 3 + [0] * 12
    (of_record,) = Scorer(protein).of_records([record])
    assert math.isfinite(of_record.pK)
    assert score(protein, ligand).pK == pytest.approx(of_record.pK, abs=1e-5)


def test_predict_gives_one_number_for_every_ligand_and_says_its_unit(predicted, files, run_folder):
    found = predicted(run_folder, files / "protein.pdb", files / "poses.sdf")
    assert len(found) == 2
    assert all(map(math.isfinite, found))
    assert found[0] != found[1]


def test_predict_says_what_score_says_of_the_same_run(predicted, files, run_folder):
    protein, ligand = files / "protein.pdb", files / "pose.sdf"
    found = score(protein, ligand, model=run_folder)
    assert predicted(run_folder, protein, ligand) == pytest.approx([found.pK], abs=1e-5)
    assert found.interaction != 0.0


def test_the_reader_s_record_in_a_table_is_predicted_as_the_pair_is(intertwiner, files, run_folder):
    table = files / "pairs.csv"
    table.write_text("protein,ligand,name\nprotein.pdb,pose.sdf,pose\n")
    done = intertwiner("predict", run_folder, table, "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["predictions"]
    pair = score(files / "protein.pdb", files / "pose.sdf", model=run_folder)
    assert row["values"]["pK"] == pytest.approx(pair.pK, abs=1e-5)


def test_a_ligand_50_angstrom_away_is_refused_with_the_setting_that_takes_it(
    intertwiner, predicted, files, run_folder
):
    protein, ligand = files / "protein.pdb", files / "far.sdf"
    with pytest.raises(DataError, match="allow_far=true takes it as it is"):
        score(protein, ligand, model=run_folder)
    done = intertwiner("predict", run_folder, "--protein", protein, "--ligand", ligand)
    assert done.returncode != 0
    assert "different coordinate frames" in done.stderr
    assert "Traceback" not in done.stderr
    allowed = predicted(run_folder, protein, ligand, "--reader.allow_far", "true")
    far = score(protein, ligand, model=run_folder, allow_far=True)
    assert allowed == pytest.approx([far.offset], abs=1e-5)


@pytest.mark.parametrize("own_run", [True, False])
def test_a_ligand_50_angstrom_away_that_is_allowed_has_no_interaction(files, run_folder, own_run):
    model = run_folder if own_run else "pooled"
    found = score(files / "protein.pdb", files / "far.sdf", model=model, allow_far=True)
    assert found.interaction == 0.0
    assert found.pK == found.offset
