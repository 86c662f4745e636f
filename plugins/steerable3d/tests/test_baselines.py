"""The control without convolutions, and networks that learn what can be learned."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.data import Batch

from intertwiner.fields import GRAPH, VOXEL, Field, Label, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner_steerable3d.baselines import build_counts
from intertwiner_steerable3d.config import CountsConfig, NetworkConfig
from intertwiner_steerable3d.data.propensity import synthetic
from intertwiner_steerable3d.model import build_network

RESIDUE = Field("residue", GRAPH, Label(20))
COUNTS = Schema(
    structure=Structure.VOXELS,
    inputs=(Field("counts", GRAPH, Scalar(960), "1"),),
    targets=(RESIDUE,),
)


def volumes(channels, target):
    return Schema(
        structure=Structure.VOXELS,
        inputs=(Field("volume", VOXEL, Scalar(channels)),),
        targets=(target,),
    )


def fitted(model, batch, target, steps, rate):
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    model.train()
    for _ in range(steps):
        loss = torch.nn.functional.cross_entropy(model(batch)[target], batch[target])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float((model(batch)[target].argmax(1) == batch[target]).double().mean())


@pytest.mark.parametrize(("features", "width"), [("shells", 96), ("cells", 864), ("both", 960)])
def test_the_control_standardises_what_it_reads(features, width):
    model = build_counts(CountsConfig(features=features), COUNTS)
    batch = Batch.from_data_list(list(synthetic(24, 0)))
    model.prepare([batch])
    assert model.mean.shape == (width,)
    torch.testing.assert_close(model.mean, batch.counts[:, model.chosen].mean(0))
    assert model(batch)["residue"].shape == (len(batch.residue), 20)


def test_the_control_learns_64_environments_by_heart():
    torch.manual_seed(0)
    config = CountsConfig(hidden=(64,), dropout=0.0, input_dropout=0.0)
    model = build_counts(config, COUNTS)
    batch = Batch.from_data_list(list(synthetic(64, 0))[:64])
    model.prepare([batch])
    assert fitted(model, batch, "residue", 60, 1e-2) == 1.0


def test_a_steerable_network_learns_64_environments_by_heart():
    torch.manual_seed(0)
    config = NetworkConfig(
        fields=((6, 3), (16,)),
        sizes=(3, 3),
        strides=(2, 1),
        smooth=False,
        hidden=(64,),
        shells=3,
        inputs_join=True,
        standardise=True,
    )
    model = build_network(config, volumes(4, RESIDUE))
    batch = Batch.from_data_list(list(synthetic(64, 0))[:64])
    model.prepare([batch])
    assert fitted(model, batch, "residue", 40, 2e-2) > 0.9
