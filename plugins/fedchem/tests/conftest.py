"""Molecules, fixtures of the definition, and files of a user, for all tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch_geometric.data import Batch

from intertwiner.data.collate import collate
from intertwiner.fields import GRAPH, Field, Label, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner_fedchem.config import MPNNConfig
from intertwiner_fedchem.data.synthetic import synthetic_dataset
from intertwiner_fedchem.fields import BOND_FIELDS
from intertwiner_fedchem.models.mpnn import MPNN

SHARED = Path(__file__).parents[4] / "shared" / "data"
ENERGY = Field("energy", GRAPH, Scalar(), "eV")


@pytest.fixture(scope="session")
def parity_folder() -> Path:
    """The folder with fixtures of the definition; skips where there is none."""
    folder = Path(os.environ.get("INTERTWINER_PARITY_DIR", SHARED / "parity")) / "fedchem"
    if not folder.exists():
        pytest.skip(f"no parity fixtures in {folder}; set INTERTWINER_PARITY_DIR")
    return folder


@pytest.fixture(scope="session")
def moleculenet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder set to one whose MoleculeNet files are the shared ones; skips without."""
    files = Path(os.environ.get("INTERTWINER_MOLECULENET", SHARED / "moleculenet"))
    if not files.exists():
        pytest.skip(f"no MoleculeNet files in {files}; set INTERTWINER_MOLECULENET")
    folder = tmp_path_factory.mktemp("data")
    (folder / "fedchem").mkdir()
    (folder / "fedchem" / "moleculenet").symlink_to(files)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERTWINER_DATA", str(folder))
        yield files


def schema_of(*targets: Field) -> Schema:
    return Schema(structure=Structure.BONDS, inputs=BOND_FIELDS, targets=targets or (ENERGY,))


@pytest.fixture
def make_schema() -> Callable[..., Schema]:
    return schema_of


@pytest.fixture
def make_network() -> Callable[..., MPNN]:
    """A network in double precision, the same for the same settings: `make_network(width=8)`."""

    def make(*targets: Field, **settings: object) -> MPNN:
        torch.manual_seed(11)
        network = MPNN(MPNNConfig(**settings), schema_of(*targets)).double()  # type: ignore[arg-type]
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        return network

    return make


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    """So many made-up molecules with an energy and a class each."""

    def make(count: int, seed: int = 0) -> Batch:
        fields = (ENERGY, Field("active", GRAPH, Label(2)))
        dataset = synthetic_dataset(fields, count, seed)
        return collate(list(dataset.records))

    return make
