"""The embedded set: whole, unpacked as it was packed, and of use without RDKit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from intertwiner.errors import DataError
from intertwiner_fedchem.config import BondsConfig
from intertwiner_fedchem.data.gfn2_bonds import embedded_file, load, pack, unpack


def test_it_holds_what_is_declared() -> None:
    dataset = load(BondsConfig())
    assert len(dataset) == 4184
    record = dataset[0]
    assert record.num_nodes == len(record.atom_code) == int(record.edge_index.max()) + 1
    assert record.edge_index.shape[1] == len(record.bond_code)
    assert bool((record.edge_index[:, ::2] == record.edge_index[:, 1::2].flip(0)).all())
    assert len({int(record.scaffold) for record in dataset.records}) == 692


def test_packing_loses_nothing(tmp_path: Path) -> None:
    molecules = unpack(embedded_file())
    pack(tmp_path / "again.npz", molecules)
    again = unpack(tmp_path / "again.npz")
    for one, other in zip(molecules.graphs, again.graphs, strict=True):
        np.testing.assert_array_equal(one.ends, other.ends)
        np.testing.assert_array_equal(one.atom_code, other.atom_code)
    np.testing.assert_array_equal(molecules.labels["gap"], again.labels["gap"])
    assert molecules.names == again.names


def test_another_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", atoms=np.zeros(3))
    with pytest.raises(DataError, match=r"other\.npz: cannot be read.*install the plugin again"):
        unpack(tmp_path / "other.npz")


def test_declarations_import_no_torch_and_the_embedded_set_no_rdkit() -> None:
    code = """
import sys
import intertwiner_fedchem._plugin, intertwiner_fedchem.config
assert "torch" not in sys.modules
sys.modules["rdkit"] = sys.modules["flwr"] = None
from intertwiner_fedchem.config import BondsConfig, MPNNConfig
from intertwiner_fedchem.data.gfn2_bonds import load
from intertwiner_fedchem.models.mpnn import MPNN
assert load(BondsConfig())[7].num_nodes > 0
from intertwiner_fedchem.data.from_smiles import parse_all
from intertwiner.errors import DataError
try:
    parse_all(["C"])
except DataError as error:
    assert "intertwiner-fedchem[chem]" in str(error), error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
