"""Small molecules and networks that every test builds on; all in double precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from torch_geometric.data import Batch, Data

from intertwiner.fields import GRAPH, NODE, Field, Irreps, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner_equivariant_conv import DepthwiseConfig, DepthwiseNetwork, build_network

FIELDS = {
    "energy": Field("energy", GRAPH, Scalar(), "eV"),
    "gap": Field("gap", GRAPH, Scalar(), "eV"),
    "mu": Field("mu", GRAPH, Scalar(), "debye"),
    "dipole": Field("dipole", GRAPH, Irreps("1x1o"), "debye"),
    "polarizability": Field("polarizability", GRAPH, Irreps("1x0e+1x2e"), "bohr^3"),
    "charges": Field("charges", NODE, Scalar(), "e"),
    "forces": Field("forces", NODE, Irreps("1x1o"), "eV/angstrom"),
}
SPECIES = (1, 6, 7, 8, 9)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """The same numbers in every test, whichever run before."""
    torch.manual_seed(20081)


@pytest.fixture
def double_default() -> Iterator[None]:
    """e3nn keeps its constants in the default dtype: double, to compare with it."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def make_schema() -> Callable[..., Schema]:
    def make(*names: str) -> Schema:
        targets = tuple(FIELDS[name] for name in names)
        return Schema(structure=Structure.ATOMS, inputs=(), targets=targets, species=SPECIES)

    return make


@pytest.fixture
def make_network(make_schema: Callable[..., Schema]) -> Callable[..., DepthwiseNetwork]:
    """A small network in double precision: `make_network("dipole", lmax=1)`."""

    def make(*names: str, **settings: Any) -> DepthwiseNetwork:
        small = {
            "channels": 5,
            "layers": 3,
            "radial_basis": 4,
            "radial_hidden": (6,),
            "cutoff": 4.0,
        }
        network = build_network(DepthwiseConfig(**{**small, **settings}), make_schema(*names))
        network = network.double()
        for convolution in network.convolutions:
            convolution.average_neighbors.fill_(5.0)
        return network

    return make


def molecule(atoms: int, seed: int = 0) -> Data:
    """Atoms on a jittered grid, none nearer than 0.8 angstrom, with elements at random."""
    generator = torch.Generator().manual_seed(seed)
    side = torch.arange(4.0, dtype=torch.float64) * 1.3
    grid = torch.cartesian_prod(side, side, side)
    chosen = torch.randperm(len(grid), generator=generator)[:atoms]
    jitter = 0.4 * (torch.rand(atoms, 3, generator=generator, dtype=torch.float64) - 0.5)
    numbers = torch.tensor(SPECIES)[torch.randint(0, 5, (atoms,), generator=generator)]
    return Data(pos=grid[chosen] + jitter, z=numbers)


@pytest.fixture
def make_molecule() -> Callable[..., Data]:
    return molecule


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    """One batch of molecules of the given sizes, or of the given records."""

    def make(*items: int | Data) -> Batch:
        records = [
            molecule(item, seed=number) if isinstance(item, int) else item
            for number, item in enumerate(items)
        ]
        return Batch.from_data_list(records)

    return make


@pytest.fixture
def random_rotation() -> Callable[[], torch.Tensor]:
    """A proper rotation, drawn with torch's generator."""

    def draw() -> torch.Tensor:
        matrix, _ = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))
        return matrix * torch.linalg.det(matrix)

    return draw


@pytest.fixture
def moved() -> Callable[..., Batch]:
    """The batch with other positions."""

    def move(batch: Batch, pos: torch.Tensor) -> Batch:
        copy = batch.clone()
        copy.pos = pos
        return copy

    return move


def as_data(numbers: Sequence[int], positions: Sequence[Sequence[float]]) -> Data:
    return Data(pos=torch.tensor(positions, dtype=torch.float64), z=torch.tensor(numbers))


@pytest.fixture
def make_data() -> Callable[..., Data]:
    """A record from atomic numbers and positions in angstrom."""
    return as_data
