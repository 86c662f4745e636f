"""The network of the benchmark: counts, the fixtures of its definition, and what it is blind to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data

from intertwiner.data.collate import collate
from intertwiner.fields import GRAPH, Field, Label, Scalar
from intertwiner.schema import Schema
from intertwiner_fedchem.config import MPNNConfig
from intertwiner_fedchem.models.mpnn import MPNN

pytest.importorskip("rdkit")

NAMES = {
    "gnn.project_node_feats.0": "input",
    "gnn.gnn_layer.bias": "convolution.bias",
    "gnn.gnn_layer.edge_func.0": "convolution.first",
    "gnn.gnn_layer.edge_func.2": "convolution.second",
    "gnn.gru": "gru.cell",
    "predict": "head",
    "nodeprojector": "atom_projector",
    "edgeprojector": "bond_projector",
}


def our_name(name: str) -> str:
    for theirs, ours in NAMES.items():
        if name.startswith(theirs):
            name = ours + name.removeprefix(theirs)
    return name.replace("_l0", "") if name.startswith("gru") else name


def molecules_of(path: Path) -> Batch:
    from intertwiner_fedchem.data.featurise import featurise, parse

    records = []
    for smiles in json.loads(path.read_text())["smiles"]:
        graph = featurise(parse(smiles))
        ends = torch.from_numpy(np.ascontiguousarray(graph.ends.T))
        codes = torch.from_numpy(graph.atom_code), torch.from_numpy(graph.bond_code)
        records.append(
            Data(atom_code=codes[0], bond_code=codes[1], edge_index=ends, num_nodes=len(codes[0]))
        )
    return collate(records)


@pytest.mark.parametrize(("tasks", "count"), [(1, 229957), (2, 230022), (12, 230672), (27, 231647)])
def test_it_has_as_many_parameters_as_the_definition(
    make_schema: Callable[..., Schema], tasks: int, count: int
) -> None:
    fields = [Field(f"task_{number}", GRAPH, Label(2)) for number in range(tasks)]
    network = MPNN(MPNNConfig(), make_schema(*fields))
    assert sum(parameter.numel() for parameter in network.parameters()) == count


@pytest.mark.parametrize("messages", ["colours", "bonds"])
def test_outputs_loss_and_gradients_are_those_of_the_fixtures(
    make_schema: Callable[..., Schema], parity_folder: Path, messages: str
) -> None:
    given, stored = (np.load(parity_folder / f"mpnn_full_{part}.npz") for part in ("io", "params"))
    slopes = np.load(parity_folder / "mpnn_full_grads_f32.npz")
    batch = molecules_of(parity_folder / "mpnn_full_io.json")
    network = MPNN(MPNNConfig(messages=messages, standardise=False), make_schema()).double()  # type: ignore[arg-type]
    arrays = {our_name(name.removeprefix("param.")): stored[name] for name in stored.files}
    state = network.state_dict()
    state.update({name: torch.from_numpy(value).double() for name, value in arrays.items()})
    network.load_state_dict(state)
    predicted = network(batch)["energy"]
    np.testing.assert_allclose(predicted.detach().numpy(), given["pred"][:, 0], rtol=1e-11)
    read = network.embedding(batch).detach().numpy()
    np.testing.assert_allclose(read, given["graph_feat"], rtol=1e-10, atol=1e-12)
    (predicted - torch.from_numpy(given["labels"][:, 0])).square().mean().backward()
    largest = max(np.abs(slopes[name]).max() for name in slopes.files)
    for name, parameter in network.named_parameters():
        theirs = next(n for n in slopes.files if our_name(n.removeprefix("grad.")) == name)
        error = np.abs(parameter.grad.numpy() - slopes[theirs]).max()  # type: ignore[union-attr]
        assert error <= 1e-7 * largest
        norm = given[theirs.replace("grad.", "gradnorm.", 1)]
        assert float(parameter.grad.norm()) == pytest.approx(float(norm), rel=1e-10)  # type: ignore[union-attr]


def test_both_forms_and_the_form_for_distinct_edges_agree(
    make_network: Callable[..., MPNN], make_batch: Callable[..., Batch]
) -> None:
    batch, network = make_batch(9), make_network(width=7, edge_hidden=3)
    by_bond = make_network(width=7, edge_hidden=3, messages="bonds")
    expected = network(batch)["energy"]
    torch.testing.assert_close(by_bond(batch)["energy"], expected, rtol=1e-12, atol=1e-12)
    apart = network.forward_from(*network.embed(batch), batch)["energy"]
    torch.testing.assert_close(apart, expected, rtol=1e-12, atol=1e-12)


def test_a_batch_gives_what_each_molecule_gives_alone(
    make_network: Callable[..., MPNN], make_batch: Callable[..., Batch]
) -> None:
    batch, network = make_batch(6), make_network(width=6)
    alone = [network(collate([record]))["energy"] for record in batch.to_data_list()]
    torch.testing.assert_close(torch.cat(alone), network(batch)["energy"], rtol=1e-12, atol=1e-12)


def test_a_single_atom_is_a_molecule(make_network: Callable[..., MPNN]) -> None:
    atom = Data(
        atom_code=torch.tensor([5]),
        bond_code=torch.zeros(0, dtype=torch.long),
        edge_index=torch.zeros(2, 0, dtype=torch.long),
        num_nodes=1,
    )
    network = make_network(width=6)
    assert bool(network(collate([atom, atom]))["energy"].isfinite().all())


def test_a_label_has_the_scores_of_its_two_classes_and_a_number_its_unit(
    make_network: Callable[..., MPNN], make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch(5)
    network = make_network(
        Field("energy", GRAPH, Scalar(), "eV"), Field("active", GRAPH, Label(2)), width=6
    )
    network.prepare([batch])
    assert network.columns.offset[0] == pytest.approx(float(batch.energy.double().mean()))
    assert network.columns.offset[1:].tolist() == [0.0]
    given = network(batch)
    assert given["energy"].shape == (5,)
    assert given["active"].shape == (5, 2)
    assert bool((given["active"][:, 0] == 0).all())


def test_without_standardising_the_loss_is_in_the_labels_own_unit(
    make_network: Callable[..., MPNN],
) -> None:
    assert make_network(width=6, standardise=False).target_spreads == {"energy": 1.0}
    assert make_network(width=6).target_spreads == {}
