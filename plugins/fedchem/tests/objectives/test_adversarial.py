"""The adversarial loss: the released code's numbers, unit directions, and models of positions."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch_geometric.data import Batch, Data

from intertwiner.errors import ConfigError
from intertwiner.fields import GRAPH, NODE, Field, Point, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner.training.objective import Objective
from intertwiner_fedchem.config import MPNNConfig
from intertwiner_fedchem.models.mpnn import MPNN
from intertwiner_fedchem.objectives.adversarial import (
    adversarial_losses,
    draw,
    worst_direction,
)
from intertwiner_fedchem.objectives.inputs import Features, Positions, inputs_of

PARITY = Path(
    os.environ.get("INTERTWINER_PARITY_DIR", Path(__file__).parents[4] / "../shared/data/parity")
)
FIXTURE = PARITY / "fedchem" / "mpnn_small_vat.npz"
NAMES = {
    "nodeprojector": "atom_projector",
    "edgeprojector": "bond_projector",
    "gnn.project_node_feats.0": "input",
    "gnn.gnn_layer.edge_func.0": "convolution.first",
    "gnn.gnn_layer.edge_func.2": "convolution.second",
    "gnn.gnn_layer": "convolution",
    "gnn.gru": "gru",
    "readout": "readout",
    "predict": "head",
}
MOLECULES = Schema(
    structure=Structure.BONDS, inputs=(), targets=(Field("y", GRAPH, Scalar()),), species=()
)
ATOMS = Schema(
    structure=Structure.ATOMS,
    inputs=(Field("pos", NODE, Point()),),
    targets=(Field("y", GRAPH, Scalar()),),
    species=(1,),
)


def ours(name: str, model: MPNN) -> str:
    """The name of a parameter of the fixture in our network."""
    start = next(key for key in NAMES if name.startswith(key))
    if start == "gnn.gru":
        part = name.removeprefix("gnn.gru.").removesuffix("_l0")
        return next(k for k, _ in model.named_parameters() if k.startswith("gru") and part in k)
    return NAMES[start] + name[len(start) :]


@pytest.fixture
def stored() -> dict[str, torch.Tensor]:
    if not FIXTURE.exists():
        pytest.skip(f"no {FIXTURE}")
    with np.load(FIXTURE, allow_pickle=False) as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


@pytest.fixture
def network(stored) -> MPNN:
    config = MPNNConfig(width=12, edge_hidden=5, standardise=False)
    model = MPNN(config, MOLECULES).double()
    given = {ours(n[6:], model): v for n, v in stored.items() if n.startswith("param.")}
    missing = model.load_state_dict(given, strict=False).missing_keys
    assert not [name for name in missing if not name.startswith("columns.")]
    return model


def molecules(stored) -> tuple[Batch, torch.Tensor]:
    """The fixture's molecules, and the order of its edges in which self-loops come last."""
    source, target = stored["src"].long(), stored["dst"].long()
    loops = source == target
    order = torch.cat([torch.nonzero(~loops)[:, 0], torch.nonzero(loops)[:, 0]])
    records, start, first = [], 0, 0
    for atoms, edges in zip(
        stored["num_nodes"].tolist(), stored["num_edges"].tolist(), strict=True
    ):
        kept = torch.arange(first, first + edges)[~loops[first : first + edges]]
        bonds = torch.stack([source[kept], target[kept]]) - start
        record = Data(edge_index=bonds, y=torch.zeros(1), num_nodes=atoms)
        record.atom_code = torch.zeros(atoms, dtype=torch.long)
        record.bond_code = torch.zeros(bonds.shape[1], dtype=torch.long)
        records.append(record)
        start, first = start + atoms, first + edges
    return Batch.from_data_list(records), order


class Fixed(Features):
    """The fixture's features, projected by the network."""

    def __init__(self, model, atoms, bonds):
        super().__init__(model)
        self.given = (model.atom_projector(atoms).detach(), model.bond_projector(bonds).detach())

    def rows(self, batch):
        return self.given


def test_values_and_gradients_equal_those_of_the_released_code(stored, network):
    batch, order = molecules(stored)
    bonds = stored["edge_feat"].double()[order]
    inputs = Fixed(network, stored["node_feat"].double(), bonds)
    clean = {"y": network.forward_from(*inputs.given, batch)["y"].detach()}
    torch.testing.assert_close(clean["y"], stored["pred"][:, 0], rtol=1e-9, atol=1e-12)
    draws = (stored["vat_node_draw"] - 0.5, stored["vat_edge_draw"][order] - 0.5)
    objective = Objective(network, MOLECULES, {"y": 1.0})
    losses = adversarial_losses(
        objective, inputs, inputs.given, batch, clean, draws, xi=1e-3, epsilon=2.5
    )
    torch.testing.assert_close(losses.values, stored["vat_loss"], rtol=1e-6, atol=1e-12)
    losses.values.mean().backward()
    parameters = dict(network.named_parameters())
    compared = 0
    for name, expected in stored.items():
        if name.startswith("vatgrad."):
            found = parameters[ours(name[8:], network)].grad
            found = torch.zeros_like(expected) if found is None else found
            error = float((found - expected).abs().max())
            assert error <= 1e-6 * float(expected.abs().max()) + 1e-14, name
            compared += 1
    assert compared >= 20


def test_every_row_of_the_direction_has_unit_length_and_no_parameter_a_gradient(stored, network):
    batch, _ = molecules(stored)
    rows = Features(network).rows(batch)
    clean = {"y": network(batch)["y"].detach()}
    draws = draw(rows, torch.Generator().manual_seed(0))
    objective = Objective(network, MOLECULES, {"y": 1.0})
    for step in worst_direction(objective, Features(network), rows, batch, clean, draws, 1e-3):
        lengths = step.norm(dim=1)
        assert (lengths < 1 + 1e-9).all()
        assert (lengths > 0.9).any()
    assert all(parameter.grad is None for parameter in network.parameters())


class Distances(nn.Module):
    """The sum of squared positions of a record."""

    def forward(self, batch):
        return {"y": batch.pos.new_zeros(2).index_add(0, batch.batch, batch.pos.square().sum(1))}


def test_models_of_positions_are_perturbed_along_the_steepest_way():
    record = Data(pos=torch.tensor([[1.0, 0, 0], [0, 2, 0]]), y=torch.zeros(1))
    batch, model = Batch.from_data_list([record, record]), Distances()
    inputs = inputs_of(model, ATOMS)
    assert isinstance(inputs, Positions)
    assert inputs.epsilon == 0.05
    objective = Objective(model, ATOMS, {"y": 1.0})
    rows = inputs.rows(batch)
    draws = draw(rows, torch.Generator().manual_seed(0))
    (step,) = worst_direction(objective, inputs, rows, batch, model(batch), draws, 1e-3)
    cosines = torch.cosine_similarity(step, batch.pos).abs()
    torch.testing.assert_close(cosines, torch.ones(4), rtol=0, atol=1e-3)
    still = adversarial_losses(
        objective, inputs, rows, batch, model(batch), draws, xi=1e-3, epsilon=0.0
    )
    assert (still.values == 0).all()
    assert batch.pos[0].tolist() == [1.0, 0.0, 0.0]


def test_a_model_without_continuous_inputs_is_refused_with_an_alternative():
    with pytest.raises(ConfigError, match="Distances declares no perturbable input.*use flit"):
        inputs_of(Distances(), MOLECULES)
