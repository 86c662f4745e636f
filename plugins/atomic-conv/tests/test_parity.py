"""The stored numbers of the definition, in the naive and the interface-only order."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data

from intertwiner.fields import GRAPH, Field, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner_atomic_conv.config import PaperCoreConfig
from intertwiner_atomic_conv.layers.naive import neighbor_mask
from intertwiner_atomic_conv.model import AtomicConvNetwork, build_network

SCHEMA = Schema(
    structure=Structure.COMPLEX, inputs=(), targets=(Field("pK", GRAPH, Scalar(), "pK"),)
)


def fixtures(folder: Path) -> list[tuple[dict[str, Any], Any]]:
    found = []
    for path in sorted(folder.glob("*.json")):
        arrays = path.with_suffix(".npz")
        if arrays.exists():
            found.append((json.loads(path.read_text()), np.load(arrays, allow_pickle=False)))
    return found


def network_of(said: dict[str, Any], data: Any, **settings: Any) -> AtomicConvNetwork:
    """The network with the fixture's parameters."""
    numbers = tuple(z for z in said["atom_types"] if z != "other")
    radial = said["radial"]
    config = PaperCoreConfig(
        types=numbers,
        other="other" in said["atom_types"],
        cutoffs=tuple(radial["Rc"]),
        centres=tuple(radial["rs"]),
        exponents=tuple(radial["sigma"]),
        hidden=tuple(said["sizes"]),
        dropout=(0.0,) * len(said["sizes"]),
        neighbors=said["M"],
        reach=said["R_neighbour"],
        **settings,
    )
    network = build_network(config, SCHEMA).double()
    convolution = network.convolution
    with torch.no_grad():
        for name, parameter in (("rc", "cutoff"), ("rs", "centre"), ("re", "exponent")):
            getattr(convolution.filters, parameter).copy_(torch.from_numpy(data[f"param.{name}"]))
        for layer, weight in enumerate(convolution.networks.weights):
            weight.copy_(torch.from_numpy(data[f"param.W.{layer}"]))
        for layer, bias in enumerate(convolution.networks.biases):
            bias.copy_(torch.from_numpy(data[f"param.b.{layer}"]).squeeze(1))
    convolution.networks.biases[-1].requires_grad_()
    return network


def record_of(data: Any, name: str) -> Data:
    z = torch.from_numpy(data[f"{name}.z"].astype(np.int64))
    part = torch.zeros_like(z)
    part[: int(data[f"{name}.n_ligand"])] = 1
    return Data(pos=torch.from_numpy(data[f"{name}.x"]).requires_grad_(), z=z, part=part)


def complexes_of(data: Any) -> list[str]:
    return sorted({key.split(".")[0] for key in data if key.endswith(".dG")})


@pytest.mark.parametrize("order", ["interface", "naive"])
@pytest.mark.parametrize("kernels", ["", "reference"])
def test_energies_and_gradients(
    parity_folder: Path, monkeypatch: pytest.MonkeyPatch, order: str, kernels: str
) -> None:
    monkeypatch.setenv("INTERTWINER_KERNELS", kernels)
    compared = 0
    for said, data in fixtures(parity_folder):
        network = network_of(said, data, order=order)
        for name in complexes_of(data):
            record = record_of(data, name)
            batch = Batch.from_data_list([record])
            energy = network.interaction(batch).sum()
            assert float(energy.detach()) == pytest.approx(float(data[f"{name}.dG"]), abs=1e-11)
            _compare_gradients(network, record, energy, data, name)
            compared += 1
    assert compared


def _compare_gradients(
    network: AtomicConvNetwork, record: Data, energy: torch.Tensor, data: Any, name: str
) -> None:
    convolution = network.convolution
    filters, networks = convolution.filters, convolution.networks
    leaves = {
        "grad_x": record.pos,
        "grad.rc": filters.cutoff,
        "grad.rs": filters.centre,
        "grad.re": filters.exponent,
        **{f"grad.W.{layer}": weight for layer, weight in enumerate(networks.weights)},
        **{f"grad.b.{layer}": bias for layer, bias in enumerate(networks.biases)},
    }
    found = torch.autograd.grad(energy, list(leaves.values()))
    for key, gradient in zip(leaves, found, strict=True):
        expected = torch.from_numpy(data[f"{name}.{key}"]).view_as(gradient)
        torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-9)


def test_lists_of_neighbours(parity_folder: Path, make_complex: Callable[..., Data]) -> None:
    for said, data in fixtures(parity_folder):
        reach = network_of(said, data).reach
        for name in complexes_of(data):
            record = record_of(data, name)
            for system, atoms in (
                ("complex", torch.arange(len(record.z))),
                ("ligand", torch.nonzero(record.part == 1).squeeze(1)),
                ("protein", torch.nonzero(record.part == 0).squeeze(1)),
            ):
                stored = data[f"{name}.nbr_{system}"]
                chosen = record.pos.detach()[atoms], record.z[atoms], record.part[atoms]
                mask = neighbor_mask(*chosen, reach)
                for row, mine in zip(stored, mask, strict=True):
                    assert sorted(row[row >= 0].tolist()) == torch.nonzero(mine).flatten().tolist()
