"""Losses of single records: their mean is the usual loss, and missing labels are nowhere in it."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch_geometric.data import Batch, Data

from intertwiner.errors import ConfigError
from intertwiner.fields import GRAPH, NODE, Field, Irreps, Label, Point, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner.training.objective import MISSING_CLASS, Objective
from intertwiner_fedchem.objectives.records import (
    divergences,
    record_losses,
    scales,
    weighted_mean,
)

TARGETS = (
    Field("energy", GRAPH, Scalar()),
    Field("toxic", GRAPH, Label(2)),
    Field("force", NODE, Irreps("1o")),
)
SCHEMA = Schema(
    structure=Structure.ATOMS,
    inputs=(Field("pos", NODE, Point()),),
    targets=TARGETS,
    species=(1,),
)


class Given(nn.Module):
    """Gives what it was told to."""

    def __init__(self, outputs):
        super().__init__()
        self.outputs = outputs

    def forward(self, batch):
        return self.outputs


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    records = []
    for count, energy, toxic in ((2, 1.0, 1), (3, float("nan"), 0), (1, 2.0, MISSING_CLASS)):
        force = torch.randn(count, 3, generator=generator)
        force[0, 1] = float("nan")
        record = Data(pos=torch.zeros(count, 3), energy=torch.tensor([energy]), force=force)
        record.toxic = torch.tensor([toxic])
        records.append(record)
    return Batch.from_data_list(records)


@pytest.fixture
def predictions() -> dict:
    generator = torch.Generator().manual_seed(1)
    shapes = {"energy": (3,), "toxic": (3, 2), "force": (6, 3)}
    return {name: torch.randn(*shape, generator=generator) for name, shape in shapes.items()}


def objective_of(model: nn.Module) -> Objective:
    spreads = {"energy": 2.0, "toxic": 1.0, "force": 0.5}
    return Objective(model, SCHEMA, spreads, {"energy": 3.0})


def test_their_mean_is_the_usual_loss(batch, predictions):
    objective = objective_of(Given(predictions))
    losses = record_losses(objective, predictions, batch)
    mean = weighted_mean(losses.values, losses.counts)
    torch.testing.assert_close(mean @ scales(objective, losses.values), objective(batch))
    assert losses.counts.tolist() == [[1.0, 1.0, 5.0], [0.0, 1.0, 8.0], [1.0, 0.0, 2.0]]


def test_a_missing_label_changes_nothing_whatever_is_predicted_there(batch, predictions):
    objective = objective_of(Given(predictions))
    before = record_losses(objective, predictions, batch)
    predictions["energy"][1], predictions["toxic"][2] = 1e6, torch.tensor([1e6, 0.0])
    predictions["force"].requires_grad_()
    after = record_losses(objective, predictions, batch)
    assert torch.equal(before.values, after.values)
    after.values.sum().backward()
    assert predictions["force"].grad[0, 1] == 0


def test_divergences_are_zero_from_themselves_and_positive_elsewhere(batch, predictions):
    objective = objective_of(Given(predictions))
    other = {name: value + torch.rand_like(value) for name, value in predictions.items()}
    same = divergences(objective, predictions, predictions, batch)
    assert same.values.abs().max() < 1e-6
    assert (divergences(objective, other, predictions, batch).values > 0).all()
    shifted = {**predictions, "toxic": predictions["toxic"] + 5}
    assert divergences(objective, shifted, predictions, batch).values[:, 1].abs().max() < 1e-6


def test_a_model_with_a_loss_of_its_own_must_say_what_records_lose(batch, predictions):
    model = Given(predictions)
    model.training_loss = lambda batch: torch.zeros(())
    objective = objective_of(model)
    with pytest.raises(ConfigError, match="Given has a loss of its own and no record_losses"):
        record_losses(objective, predictions, batch)
    model.record_losses = lambda outputs, batch: (torch.ones(3, 1), torch.ones(3, 1))
    losses = record_losses(objective, predictions, batch)
    assert weighted_mean(*losses) @ scales(objective, losses.values) == 1
