"""ATOM3D's residue identity: made-up stores of the right form, and refused ones."""

from __future__ import annotations

import gzip
import json
import pickle

import pytest
import torch

from intertwiner_steerable3d.data.atom3d import COLUMNS, load, protein_of
from intertwiner_steerable3d.data.config import Atom3dData
from intertwiner_steerable3d.data.made_up import helix
from intertwiner_steerable3d.data.proteins import AMINO_ACIDS
from intertwiner_steerable3d.errors import InvalidInput


def item(seed=0, labelled=6):
    made = helix("h", 6, torch.Generator().manual_seed(seed))
    kinds = [AMINO_ACIDS[number] for number in made.amino_acid.tolist()]
    rows = []
    for row, (place, owner) in enumerate(
        zip(made.pos.tolist(), made.residue.tolist(), strict=True)
    ):
        name = ("N", "CA", "C", "O", "CB")[row % 5]
        rows.append(["A", owner + 1, " ", kinds[owner], name[0], name, *place])
    rows.append(["A", 1, " ", kinds[0], "H", "H", 0.0, 0.0, 0.0])
    labels = [[f"A_{number + 1}_{kinds[number]}", 0] for number in range(labelled)]
    return {
        "id": f"made-{seed}",
        "atoms": {"columns": list(COLUMNS), "data": rows},
        "labels": {"columns": ["subunit", "label"], "data": labels},
    }


def test_residues_without_a_label_are_no_targets():
    found = protein_of(item(labelled=4))
    assert found.targets().tolist() == [True] * 4 + [False] * 2
    assert len(found.pos) == 30
    made = helix("h", 6, torch.Generator().manual_seed(0))
    assert torch.equal(found.amino_acid[:4], made.amino_acid[:4])


def test_a_table_without_a_column_is_refused_by_name():
    broken = item()
    broken["atoms"]["columns"][0] = "kette"
    with pytest.raises(InvalidInput, match="structure made-0: no column chain"):
        protein_of(broken)


def write(folder, pack, kind):
    lmdb = pytest.importorskip("lmdb", reason="needs lmdb: pip install lmdb")
    for number, part in enumerate(("train", "val", "test")):
        place = folder / "data" / part
        place.mkdir(parents=True)
        with lmdb.open(str(place), map_size=2**20) as store, store.begin(write=True) as view:
            view.put(b"0", gzip.compress(pack(item(number))))
            view.put(b"num_examples", b"1")
            view.put(b"serialization_format", kind.encode())
    return str(folder)


def test_parts_of_a_store_are_kept(tmp_path):
    path = write(tmp_path, lambda found: json.dumps(found).encode(), "json")
    dataset = load(Atom3dData(path=path, side=9, step=2.0, sigma=1.6))
    sizes = {name: len(part) for name, part in dataset.splits["topology"].items()}
    assert sizes == {"train": 6, "validation": 6, "test": 6}
    assert str(dataset[6].name).startswith("made-1")


@pytest.mark.fault("F05")
def test_pickles_are_refused_and_not_run(tmp_path):
    path = write(tmp_path, pickle.dumps, "pkl")
    with pytest.raises(InvalidInput, match="'pkl' is not read"):
        load(Atom3dData(path=path))


def test_a_record_that_is_no_json_is_refused_by_number(tmp_path):
    path = write(tmp_path, lambda found: b"{", "json")
    with pytest.raises(InvalidInput, match="record 0: cannot be unpacked"):
        load(Atom3dData(path=path))


def test_a_folder_without_the_parts_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="no folders train, val, test"):
        load(Atom3dData(path=str(tmp_path)))
