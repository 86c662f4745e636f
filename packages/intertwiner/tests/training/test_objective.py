"""The default loss: every target in its own spread, missing labels left out."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch_geometric.data import Batch, Data

from intertwiner.errors import DataError, RunError
from intertwiner.fields import GRAPH, NODE, Field, Irreps, Label, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner.training.objective import Objective, target_spreads

ENERGY = Field("energy", GRAPH, Scalar(), "eV")
DIPOLE = Field("dipole", GRAPH, Irreps("1x1o"), "debye")
KIND = Field("kind", GRAPH, Label(3))


def schema(*targets: Field) -> Schema:
    return Schema(structure=Structure.ATOMS, inputs=(), targets=targets)


class Constant(nn.Module):
    """Gives the same stored tensors for every batch."""

    def __init__(self, **outputs: torch.Tensor) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, batch: Batch) -> dict[str, torch.Tensor]:
        return self.outputs


def record(**labels: torch.Tensor) -> Data:
    return Data(pos=torch.zeros(1, 3), num_nodes=1, **labels)


def batch_of(*records: Data) -> Batch:
    return Batch.from_data_list(list(records))


def test_errors_count_in_units_of_the_spread():
    batch = batch_of(record(energy=torch.tensor([1.0])), record(energy=torch.tensor([3.0])))
    model = Constant(energy=torch.tensor([2.0, 2.0]))
    loss = Objective(model, schema(ENERGY), {"energy": 2.0})(batch)
    assert loss.item() == pytest.approx(1.0 / 4)


def test_targets_weigh_as_they_are_told():
    batch = batch_of(record(energy=torch.tensor([1.0]), dipole=torch.ones(1, 3)))
    model = Constant(energy=torch.tensor([3.0]), dipole=torch.zeros(1, 3))
    spreads = {"energy": 1.0, "dipole": 1.0}
    assert Objective(model, schema(ENERGY, DIPOLE), spreads)(batch).item() == pytest.approx(2.5)
    weighted = Objective(model, schema(ENERGY, DIPOLE), spreads, {"energy": 3.0})
    assert weighted(batch).item() == pytest.approx((3 * 4 + 1) / 4)


def test_a_missing_label_takes_no_part_and_leaves_a_finite_gradient():
    batch = batch_of(record(energy=torch.tensor([math.nan])), record(energy=torch.tensor([3.0])))
    predicted = torch.tensor([5.0, 2.0], requires_grad=True)
    loss = Objective(Constant(energy=predicted), schema(ENERGY), {"energy": 1.0})(batch)
    loss.backward()
    assert loss.item() == pytest.approx(1.0)
    assert predicted.grad.tolist() == [0.0, -2.0]


def test_a_label_is_classified_by_cross_entropy():
    batch = batch_of(record(kind=torch.tensor([2])))
    model = Constant(kind=torch.tensor([[0.0, 0.0, math.log(2)]]))
    loss = Objective(model, schema(KIND), {"kind": 1.0})(batch)
    assert loss.item() == pytest.approx(math.log(2))


def test_a_missing_class_has_no_influence_even_when_all_are_missing():
    model = Constant(kind=torch.tensor([[0.0, 0.0, math.log(2)], [5.0, 0.0, 1.0]]))
    objective = Objective(model, schema(KIND), {"kind": 1.0})
    some = batch_of(record(kind=torch.tensor([2])), record(kind=torch.tensor([-100])))
    none = batch_of(record(kind=torch.tensor([-100])), record(kind=torch.tensor([-100])))
    assert objective(some).item() == pytest.approx(math.log(2))
    assert objective(none).item() == 0.0


def test_a_models_own_loss_and_spreads_come_first():
    class Own(Constant):
        target_spreads = {"energy": 10.0}  # noqa: RUF012

    batch = batch_of(record(energy=torch.tensor([0.0])))
    own = Own(energy=torch.tensor([10.0]))
    assert Objective(own, schema(ENERGY), {"energy": 1.0})(batch).item() == pytest.approx(1.0)
    own.training_loss = lambda batch: torch.tensor(7.0)
    assert Objective(own, schema(ENERGY), {"energy": 1.0})(batch).item() == 7.0


def test_a_missing_or_misshaped_prediction_is_named():
    batch = batch_of(record(dipole=torch.ones(1, 3)))
    for outputs, message in [
        ({}, "not the target 'dipole'"),
        ({"dipole": torch.ones(3)}, r"\(1, 3\)"),
    ]:
        with pytest.raises(RunError, match=message):
            Objective(Constant(**outputs), schema(DIPOLE), {"dipole": 1.0})(batch)


def test_the_spread_of_a_scalar_is_its_deviation_and_of_a_vector_its_length():
    records = [
        record(
            energy=torch.tensor([value]), dipole=torch.full((1, 3), value), kind=torch.tensor([0])
        )
        for value in (1.0, 3.0, math.nan)
    ]
    spreads = target_spreads(records, schema(ENERGY, DIPOLE, KIND))
    assert spreads["energy"] == pytest.approx(1.0)
    assert spreads["dipole"] == pytest.approx(math.sqrt(5))
    assert spreads["kind"] == 1.0


def test_a_target_without_any_label_is_refused():
    with pytest.raises(DataError, match="'energy': no training record has a label"):
        target_spreads([record(energy=torch.tensor([math.nan]))], schema(ENERGY))


def test_a_constant_target_does_not_divide_by_zero():
    assert target_spreads([record(energy=torch.tensor([2.0]))] * 3, schema(ENERGY)) == {
        "energy": 1.0
    }


def test_node_targets_are_compared_atom_by_atom():
    forces = Field("forces", NODE, Irreps("1x1o"))
    batch = batch_of(record(forces=torch.ones(1, 3)), record(forces=torch.zeros(1, 3)))
    model = Constant(forces=torch.zeros(2, 3))
    assert Objective(model, schema(forces), {"forces": 1.0})(batch).item() == pytest.approx(0.5)
