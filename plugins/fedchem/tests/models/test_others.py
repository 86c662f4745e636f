"""The other networks: counts and what they are blind to; the kit tests the rest."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch_geometric.data import Batch, Data

from intertwiner.data.collate import collate
from intertwiner.fields import GRAPH, Field, Scalar
from intertwiner.schema import Schema
from intertwiner_fedchem.config import GINConfig, SchNetConfig
from intertwiner_fedchem.models.gin import GIN
from intertwiner_fedchem.models.schnet import SchNet


def test_schnet_of_twelve_targets_has_as_many_parameters_as_the_definition(
    make_schema: Callable[..., Schema],
) -> None:
    fields = [Field(f"target_{number}", GRAPH, Scalar(), "eV") for number in range(12)]
    network = SchNet(SchNetConfig(), make_schema(*fields))
    assert sum(parameter.numel() for parameter in network.parameters()) == 456_524


def test_schnet_sums_over_atoms_so_two_molecules_far_apart_add(
    make_schema: Callable[..., Schema],
) -> None:
    torch.manual_seed(0)
    network = SchNet(SchNetConfig(width=8, blocks=2, standardise=False), make_schema()).double()
    pos = torch.randn(4, 3, dtype=torch.float64)
    z = torch.tensor([6, 8, 1, 7])
    single = network(collate([Data(pos=pos, z=z)]))["energy"]
    both = Data(pos=torch.cat([pos, pos + 50.0]), z=z.repeat(2))
    torch.testing.assert_close(network(collate([both]))["energy"], 2 * single)


def test_gin_gives_a_molecule_the_same_alone_and_in_company(
    make_schema: Callable[..., Schema], make_batch: Callable[..., Batch]
) -> None:
    torch.manual_seed(0)
    network = GIN(GINConfig(width=8, layers=3), make_schema()).double()
    batch = make_batch(5)
    alone = [network(collate([record]))["energy"] for record in batch.to_data_list()]
    torch.testing.assert_close(torch.cat(alone), network(batch)["energy"])
