from __future__ import annotations

import pytest
import torch
from intertwiner.fields import GRAPH, NODE, Field, Irreps, Label, Point, Scalar, Structure
from intertwiner.schema import Schema
from torch_geometric.data import Batch, Data

from tiny_painn.config import PaiNNConfig
from tiny_painn.model import PaiNN

SCHEMA = Schema(
    structure=Structure.ATOMS,
    inputs=(Field("pos", NODE, Point(), "angstrom"), Field("z", NODE, Label())),
    targets=(
        Field("energy", GRAPH, Scalar(), "eV"),
        Field("dipole", GRAPH, Irreps("1o"), "e angstrom"),
    ),
    species=(11, 17),
)


def pair(distance: float) -> Data:
    pos = torch.tensor([[0.0, 0, 0], [distance, 0, 0]])
    return Data(pos=pos, z=torch.tensor([11, 17]), energy=torch.zeros(1), dipole=torch.zeros(1, 3))


@pytest.fixture
def model() -> PaiNN:
    torch.manual_seed(0)
    return PaiNN(PaiNNConfig(), SCHEMA).double()


def outputs(model: PaiNN, *records: Data) -> dict[str, torch.Tensor]:
    batch = Batch.from_data_list(list(records)).apply(
        lambda value: value.double() if value.is_floating_point() else value
    )
    with torch.no_grad():
        found: dict[str, torch.Tensor] = model(batch)
    return found


def test_the_dipole_of_a_pair_lies_along_its_axis(model):
    found = outputs(model, pair(3.0))["dipole"]
    assert found[0, 0].abs() > 1e-3
    assert found[0, 1:].abs().max() < 1e-12


def test_distant_ions_do_not_meet(model):
    near, far, farther = outputs(model, pair(3.0), pair(6.5), pair(50.0))["energy"]
    assert torch.allclose(far, farther, rtol=1e-12)
    assert not torch.allclose(near, far, rtol=1e-3)


def test_a_pair_fades_out_without_a_jump(model):
    inside, outside = outputs(model, pair(5.9999), pair(6.0001))["energy"]
    assert abs(inside.item() - outside.item()) < 1e-7
