"""Many complexes: the good ones are read, each bad one is told with its reason."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch_geometric.data import Batch

from intertwiner.errors import DataError
from intertwiner_atoms import read_complexes, read_poses
from intertwiner_atoms.complexes.reader import ComplexReader

Bench = Any
Molecule = Any


@pytest.fixture
def folder(bench: Bench, molecule: Molecule) -> Any:
    """Three complexes: one good, one whose SDF is broken and MOL2 is not, one without hope."""
    protein = bench.protein(name="1abc/1abc_protein.pdb").read_text()
    bench.ligand(name="1abc/1abc_ligand.sdf")
    mol2 = (
        "@<TRIPOS>MOLECULE\nlig\n 1 0 0 0 0\nSMALL\nNO_CHARGES\n\n@<TRIPOS>ATOM\n"
        " 1 C1 0.0 0.0 0.0 C.1 1 LIG 0.0\n"
    )
    bench.write("2xyz/2xyz_protein.pdb", protein)
    bench.write("2xyz/2xyz_ligand.sdf", molecule().replace("0.0000", "   nan"))
    bench.write("2xyz/2xyz_ligand.mol2", mol2)
    bench.write("3bad/3bad_protein.pdb", protein)
    bench.ligand(name="3bad/3bad_ligand.sdf", shift=(90.0, 0.0, 0.0))
    bench.write("4not/4not_protein.pdb", protein)
    return bench.folder


@pytest.mark.fault("F25")
@pytest.mark.parametrize("workers", [1, 2])
def test_bad_complexes_are_told_and_the_rest_goes_on(folder: Any, workers: int) -> None:
    collection = read_complexes(folder, workers=workers)
    assert [record.name for record in collection] == ["1abc", "2xyz"]
    reasons = {failure.name: failure.reason for failure in collection.failures}
    assert "no 4not_ligand" in reasons["4not"]
    assert "coordinate frames" in reasons["3bad"]
    (note,) = collection.notes["2xyz"]
    assert note.startswith("read from 2xyz_ligand.mol2, because ")
    assert collection.counts["ligand: hydrogens dropped"] == 1
    assert collection.summary().startswith("2 of 4 read; 2 failed, 1 with notes; ")
    assert len(collection.as_json()["failed"]) == 2
    assert Batch.from_data_list(collection.records).part.sum() == 6


def test_the_reader_gives_the_records_and_logs_the_failures(folder: Any, caplog: Any) -> None:
    records = ComplexReader()(folder)
    assert len(records) == 2
    assert "3bad left out: " in caplog.text
    with pytest.raises(DataError, match="none of 1 could be read: .*no 4not_ligand"):
        ComplexReader()(folder / "4not")


@pytest.mark.fault("F26")
def test_columns_of_numbers_are_labels_and_missing_ones_are_nan(bench: Bench) -> None:
    bench.protein(), bench.ligand()
    rows = ["a,6.5,x", "b,,y", "c,NA,z"]
    table = "name,affinity,group,protein,ligand\n" + "".join(
        f"{row},protein.pdb,ligand.sdf\n" for row in rows
    )
    records = read_complexes(bench.write("t.csv", table)).records
    assert [record.group for record in records] == ["x", "y", "z"]
    assert records[0].affinity.tolist() == [6.5]
    assert all(math.isnan(float(record.affinity)) for record in records[1:])
    assert Batch.from_data_list(records).affinity.shape == (3,)


@pytest.mark.fault("F26")
@pytest.mark.parametrize(
    ("head", "cells", "words"),
    [
        ("label", ["1.0", "high"], "row 2: label='high' is no finite number"),
        ("label", ["inf", "1"], "row 1: label='inf' is no finite number"),
        ("pos", ["1", "2"], "column 'pos' cannot be a label's name"),
        ("my label", ["1", "2"], "column 'my label' cannot be"),
    ],
)
def test_labels_that_cannot_be_name_row_and_column(
    bench: Bench, head: str, cells: list[str], words: str
) -> None:
    text = f"protein,ligand,{head}\n" + "".join(f"p.pdb,l.sdf,{cell}\n" for cell in cells)
    with pytest.raises(DataError, match=words):
        read_complexes(bench.write("t.csv", text))


def test_files_that_a_table_names_and_are_not_there_are_failures(bench: Bench) -> None:
    bench.protein(), bench.ligand()
    text = "protein,ligand\nprotein.pdb,ligand.sdf\nprotein.pdb,none.sdf\nnone.pdb,ligand.sdf\n"
    collection = read_complexes(bench.write("t.csv", text))
    assert len(collection) == 1
    assert "none.sdf" in collection.failures[0].reason
    assert "none.pdb" in collection.failures[1].reason


@pytest.mark.parametrize("workers", [1, 2])
def test_poses_of_one_file_are_complexes_with_the_same_protein(
    bench: Bench, molecule: Molecule, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intertwiner_atoms.readers.spans.PIECE", 400)
    text = "".join(molecule(title=f"pose {n}") for n in range(5))
    broken = text.split("$$$$\n")
    broken[3] = broken[3].replace("0.0000", "   nan")
    path = bench.write("poses.sdf", "$$$$\n".join(broken))
    collection = read_poses(bench.protein(), path, workers=workers)
    assert [record.name for record in collection] == ["pose 0", "pose 1", "pose 2", "pose 4"]
    (failure,) = collection.failures
    assert "record 4 (pose 3), line 41" in failure.reason
    assert torch.equal(collection.records[0].pos, collection.records[3].pos)
    with pytest.raises(DataError, match="none.pdb"):
        read_poses(bench.folder / "none.pdb", path)


def test_the_reader_reads_pairs_and_poses(bench: Bench) -> None:
    reader = ComplexReader()
    record, _ = reader.pair(reader.receptor(bench.protein()), bench.ligand())
    (pose,) = reader.poses(bench.protein(), bench.ligand())
    assert torch.equal(record.pos, pose.pos)


def test_worker_processes_need_no_torch() -> None:
    modules = "intertwiner_atoms.complexes.many, intertwiner_atoms.readers.many"
    code = (
        f"import sys, {modules}, intertwiner_atoms.readers.pdbqt, intertwiner_atoms.readers.sdf;"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
