"""Small complexes and networks that every test builds on; in double precision."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner.fields import GRAPH, Field, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner_atomic_conv.config import AtomicConvConfig, CoreConfig
from intertwiner_atomic_conv.model import AtomicConvNetwork, build_network

SCHEMA = Schema(
    structure=Structure.COMPLEX, inputs=(), targets=(Field("pK", GRAPH, Scalar(), "pK"),)
)
SHARED = Path(__file__).parents[4] / "shared" / "data"

PROTEIN = """\
ATOM      1  N   ALA A   1       0.000   0.000   0.000  1.00  0.00           N
ATOM      2  CA  ALA A   1       1.458   0.000   0.000  1.00  0.00           C
ATOM      3  C   ALA A   1       2.009   1.420   0.000  1.00  0.00           C
ATOM      4  O   ALA A   1       1.251   2.390   0.000  1.00  0.00           O
ATOM      5  CB  ALA A   1       1.988  -0.773  -1.199  1.00  0.00           C
END
"""
LIGAND = """\
methanol

 (made by hand)
  2  1  0  0  0  0  0  0  0  0999 V2000
    4.5000    3.5000    1.0000 C   0  0
    5.2000    4.6000    1.4000 O   0  0
  1  2  1  0
M  END
$$$$
"""


def complex_of(atoms: int, ligand: int, seed: int = 0, *, lattice: bool = False) -> Data:
    """Atoms on a jittered grid, the innermost of them the ligand; without jitter, ties abound."""
    generator = torch.Generator().manual_seed(seed)
    side = torch.arange(7.0, dtype=torch.float64) * 1.7
    grid = torch.cartesian_prod(side, side, side)
    pos = grid[torch.randperm(len(grid), generator=generator)[:atoms]]
    if not lattice:
        pos = pos + 0.5 * torch.rand(atoms, 3, generator=generator, dtype=torch.float64)
    part = torch.zeros(atoms, dtype=torch.long)
    part[(pos - pos.mean(0)).norm(dim=1).argsort(stable=True)[:ligand]] = 1
    z = torch.tensor([6, 7, 8, 16, 26])[torch.randint(0, 5, (atoms,), generator=generator)]
    return Data(pos=pos, z=z, part=part, name=f"complex-{seed}")


@pytest.fixture(scope="session")
def structure_texts() -> tuple[str, str]:
    """A PDB file of a protein of one residue, an SDF file of a ligand of two atoms."""
    return PROTEIN, LIGAND


@pytest.fixture
def schema() -> Schema:
    """One affinity per complex."""
    return SCHEMA


@pytest.fixture(scope="session")
def make_complex() -> Callable[..., Data]:
    return complex_of


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    """One batch of the given records."""
    return lambda *records: Batch.from_data_list(list(records))


@pytest.fixture
def make_network() -> Callable[..., AtomicConvNetwork]:
    """A network of few filters, all parameters moved: `make_network(graph="cross")`."""

    def make(kind: type[AtomicConvConfig] = CoreConfig, **settings: Any) -> AtomicConvNetwork:
        small = {"cutoffs": (3.0, 6.0, 12.0), "hidden": (8, 4), "dropout": (0.2, 0.1)}
        torch.manual_seed(17)
        network = build_network(kind(**{**small, **settings}), SCHEMA).double()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        return network.eval()

    return make


@pytest.fixture
def predict() -> Callable[[AtomicConvNetwork, Batch], Tensor]:
    """Predictions of a batch, cut off from gradients."""
    return lambda network, batch: network(batch)["pK"].detach()


@pytest.fixture
def random_rotation() -> Callable[[], Tensor]:
    """An orthogonal matrix."""

    def draw() -> Tensor:
        generator = torch.Generator().manual_seed(3)
        gauss = torch.randn(3, 3, dtype=torch.float64, generator=generator)
        return torch.linalg.qr(gauss)[0]

    return draw


@pytest.fixture
def parity_folder() -> Path:
    """The folder with fixtures of the definition; skips where there is none."""
    folder = Path(os.environ.get("INTERTWINER_PARITY_DIR", SHARED / "parity")) / "atomic-conv"
    if not folder.exists():
        pytest.skip(f"no parity fixtures in {folder}; set INTERTWINER_PARITY_DIR")
    return folder


@pytest.fixture
def open_complexes() -> Path:
    """The file of FEP benchmark complexes; skips where there is none."""
    path = Path(os.environ.get("INTERTWINER_COMPLEXES", SHARED / "complexes/complexes_open.npz"))
    if not path.exists():
        pytest.skip(f"no complexes in {path}; set INTERTWINER_COMPLEXES")
    return path


@pytest.fixture
def shared_structures() -> Path:
    """The folder of real proteins with their ligands; skips where there is none."""
    folder = SHARED / "structures" / "complexes"
    if not folder.exists():
        pytest.skip(f"no complexes in {folder}")
    return folder
