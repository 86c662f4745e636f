"""Flows as models: losses on batches, figures, samples, state, and the change to likelihood."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch_geometric.data import Batch, Data

from intertwiner.config import build
from intertwiner.errors import DeclarationError
from intertwiner.fields import NODE, Field, Label, Point, Structure
from intertwiner.schema import Schema
from intertwiner.specs import load_target
from intertwiner_enflow.declarations import model_specs
from intertwiner_enflow.errors import StateError

SPECS = {spec.name: spec for spec in model_specs()}
POSITIONS = ("egnn", "egnn-paper", "gnn", "simple", "kernel")


def schema(dimension: int = 3) -> Schema:
    inputs = (Field("pos", NODE, Point(dimension)), Field("z", NODE, Label()))
    return Schema(structure=Structure.ATOMS, inputs=inputs, targets=(), species=(1, 6, 8))


def make(name: str, dimension: int = 3, **settings: Any) -> Any:
    spec = SPECS[name]
    torch.manual_seed(0)
    config = build(load_target(spec.config), {**spec.tiny, **settings})
    return load_target(spec.target)(config, schema(dimension))


def batch(*sizes: int, dimension: int = 3) -> Batch:
    generator = torch.Generator().manual_seed(5)
    records = [
        Data(
            pos=torch.randn(size, dimension, generator=generator),
            z=torch.tensor((6, 1, 8, 1, 1))[:size],
        )
        for size in sizes
    ]
    return Batch.from_data_list(records)


@pytest.mark.parametrize("name", list(SPECS))
def test_a_step_of_training_a_figure_and_a_sample(name: str) -> None:
    model, data = make(name, tolerance=1e-3), batch(4, 3, 4)
    model.prepare([data])
    loss = model.training_loss(data)
    loss.backward()
    assert bool(loss.isfinite())
    model.eval()
    first, again = model.record_figures(data)["nll"], model.record_figures(data)["nll"]
    assert first.shape == (3,)
    assert torch.equal(first, again)
    records = model.sample(3, generator=torch.Generator().manual_seed(0))
    assert len(records) == 3
    assert {record.num_nodes for record in records} <= {3, 4}
    assert all(record.pos.shape[1] == 3 for record in records)


@pytest.mark.parametrize("name", ["egnn", "egnn-joint"])
def test_weights_sizes_and_steps_are_stored(name: str) -> None:
    model, data = make(name), batch(4, 3, 4)
    model.prepare([data])
    model.training_loss(data)
    model.eval()
    other = make(name)
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    other.eval()
    assert int(other.step) == 1
    for key in ("nll",):
        assert torch.equal(other.record_figures(data)[key], model.record_figures(data)[key])
    generator = torch.Generator().manual_seed(0)
    assert len(other.sample(2, generator=generator)) == 2


def test_flow_matching_gives_way_to_likelihood_after_so_many_steps() -> None:
    model, data = make("egnn", fine_tune_after=2), batch(4, 4)
    seen = []
    for _ in range(4):
        model.training_loss(data)
        seen.append(model.learns_likelihood)
    assert seen == [False, False, True, True]
    model.eval()
    model.training_loss(data)
    assert int(model.step) == 4


def test_a_flow_that_was_not_trained_does_not_know_how_many_particles() -> None:
    with pytest.raises(StateError, match="never set"):
        make("egnn").sample(1)


def test_positions_in_the_plane_are_taken() -> None:
    model, data = make("egnn", dimension=2), batch(4, 4, dimension=2)
    model.prepare([data])
    model.training_loss(data).backward()
    assert model.sample(1, generator=torch.Generator().manual_seed(0))[0].pos.shape == (4, 2)


def test_aligned_pairs_are_refused_for_the_control_without_equivariance() -> None:
    with pytest.raises(StateError, match="not equivariant"):
        make("gnn", objective="flow-matching", align=True)


def test_turned_data_teach_the_control_all_directions() -> None:
    model, data = make("gnn", objective="flow-matching", turn=True), batch(4, 4)
    torch.manual_seed(0)
    first = model.training_loss(data)
    assert not torch.equal(first, model.training_loss(data))


def test_a_joint_flow_needs_elements_and_every_flow_positions() -> None:
    spec = SPECS["egnn-joint"]
    config = build(load_target(spec.config), dict(spec.tiny))
    empty = Schema(structure=Structure.ATOMS, inputs=schema().inputs, targets=())
    with pytest.raises(DeclarationError, match="elements"):
        load_target(spec.target)(config, empty)
    without = Schema(structure=Structure.ATOMS, inputs=(), targets=(), species=(1,))
    with pytest.raises(DeclarationError, match="'pos'"):
        load_target(spec.target)(config, without)
