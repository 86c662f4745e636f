"""The network: symmetry, independence of the batch, cutoff, forces, and degenerate molecules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from e3nn import o3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data

from intertwiner.errors import DataError
from intertwiner_equivariant_conv import (
    DepthwiseConfig,
    DepthwiseConvolution,
    DepthwiseNetwork,
    count_parameters,
)
from intertwiner_equivariant_conv.errors import InvalidInput, InvalidSetting, WrongType
from intertwiner_equivariant_conv.layers.atoms import CloseAtoms

pytestmark = pytest.mark.usefixtures("double_default")

Make = Callable[..., Any]
EVERYTHING = ("energy", "gap", "mu", "dipole", "polarizability", "charges", "forces")
KINDS = {"dipole": "1o", "forces": "1o", "polarizability": "0e+2e"}
READOUTS = ("vector", "charge", "charge+vector")


def rotate_outputs(outputs: dict[str, torch.Tensor], matrix: torch.Tensor) -> dict[str, Any]:
    turned = {}
    for name, value in outputs.items():
        irreps = o3.Irreps(KINDS[name]) if name in KINDS else None
        turned[name] = value if irreps is None else value @ irreps.D_from_matrix(matrix).T
    return turned


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert found
    for name, value in expected.items():
        torch.testing.assert_close(
            found[name], value, rtol=0, atol=1e-9, msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.mark.parametrize("lmax", [2, 3])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("readout", READOUTS)
def test_outputs_turn_with_the_molecule(
    make_network: Make,
    make_batch: Make,
    moved: Make,
    random_rotation: Make,
    lmax: int,
    inverted: bool,
    readout: str,
) -> None:
    network = make_network(*EVERYTHING, lmax=lmax, dipole_readout=readout)
    batch, matrix = make_batch(6, 9), random_rotation() * (-1 if inverted else 1)
    turned = network(moved(batch, batch.pos @ matrix.T + torch.tensor([3.0, -20.0, 7.0])))
    assert_same(turned, rotate_outputs(network(batch), matrix))


def test_outputs_are_not_zero_and_react(make_network: Make, make_batch: Make, moved: Make) -> None:
    network, batch = make_network(*EVERYTHING, lmax=2), make_batch(6, 9)
    shaken = moved(batch, batch.pos + 0.1 * torch.randn_like(batch.pos))
    before, after = network(batch), network(shaken)
    for name, value in before.items():
        assert float(value.detach().abs().max()) > 1e-6, name
        assert float((after[name] - value).detach().abs().max()) > 1e-6, name


def test_without_parity_a_mirror_image_differs(make_network: Make, make_batch: Make) -> None:
    batch = make_batch(8)
    differences = []
    for parity in (True, False):
        network = make_network("energy", lmax=1, parity=parity)
        mirror = batch.clone()
        mirror.pos = -batch.pos
        change = network(mirror)["energy"] - network(batch)["energy"]
        differences.append(float(change.detach().abs()))
    assert differences[0] < 1e-10 < 1e-7 < differences[1]


def test_renumbering_atoms_renumbers_outputs(make_network: Make, make_molecule: Make) -> None:
    network, record = make_network(*EVERYTHING, lmax=2), make_molecule(9)
    order = torch.randperm(9)
    shuffled = Data(pos=record.pos[order], z=record.z[order])
    plain, found = (network(Batch.from_data_list([item])) for item in (record, shuffled))
    for name in ("charges", "forces"):
        plain[name] = plain[name][order]
    assert_same(found, plain)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_a_molecule_alone_is_as_in_any_batch(
    make_network: Make, make_molecule: Make, sizes: list[int]
) -> None:
    network = make_network(*EVERYTHING, lmax=2)
    records = [make_molecule(size, seed=number) for number, size in enumerate(sizes)]
    together = network(Batch.from_data_list(records))
    alone = [network(Batch.from_data_list([record])) for record in records]
    for name, value in together.items():
        joined = torch.cat([single[name] for single in alone])
        torch.testing.assert_close(joined, value, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["energy", "dipole"])
def test_nothing_jumps_when_an_atom_crosses_the_cutoff(
    make_network: Make, make_data: Make, name: str
) -> None:
    network = make_network(name, "forces", lmax=1)

    def at(distance: float) -> torch.Tensor:
        record = make_data([6, 8, 1], [[0, 0, 0], [0, 0, distance], [1.0, 0, 0.3]])
        out = network(Batch.from_data_list([record]))
        return torch.cat([out[name].flatten(), out["forces"].flatten()]).detach()

    before, there, after = (at(4.0 + offset) for offset in (-1e-4, 0.0, 1e-4))
    assert float((before - there).abs().max()) < 1e-5
    assert float((before - 2 * there + after).abs().max()) < 1e-7


def test_forces_are_the_slope_of_the_energy(make_network: Make, make_batch: Make) -> None:
    network, batch = make_network("energy", "forces", lmax=2), make_batch(5, 7)
    forces, step = network(batch)["forces"].detach(), 1e-5
    for atom, axis in ((0, 0), (3, 1), (8, 2)):
        energies = []
        for sign in (-1, 1):
            shifted = batch.clone()
            shifted.pos = batch.pos.clone()
            shifted.pos[atom, axis] += sign * step
            energies.append(float(network(shifted)["energy"].detach().sum()))
        slope = (energies[1] - energies[0]) / (2 * step)
        assert float(forces[atom, axis]) == pytest.approx(-slope, rel=1e-5, abs=1e-8)


def test_forces_of_a_molecule_sum_to_zero(make_network: Make, make_batch: Make) -> None:
    batch = make_batch(6, 9)
    forces = make_network("energy", "forces")(batch)["forces"]
    total = torch.zeros(2, 3).index_add(0, batch.batch, forces)
    assert float(total.detach().abs().max()) < 1e-12


def test_loss_of_forces_trains_every_parameter(make_network: Make, make_batch: Make) -> None:
    network, batch = make_network("energy", "forces", lmax=1), make_batch(6, 9)
    batch.energy, batch.forces = torch.randn(2), torch.randn(15, 3)
    network.training_loss(batch).backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


@pytest.mark.parametrize("name", ["energy", "dipole", "polarizability", "charges"])
@pytest.mark.parametrize("layers", [1, 2])
def test_every_parameter_serves_the_target(
    make_network: Make, make_batch: Make, name: str, layers: int
) -> None:
    network = make_network(name, lmax=2, layers=layers)
    network(make_batch(6, 9))[name].square().sum().backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


def test_forces_without_gradients_enabled(make_network: Make, make_batch: Make) -> None:
    network, batch = make_network("forces"), make_batch(6)
    expected = network(batch)["forces"].detach()
    with torch.no_grad():
        found = network(batch)
    assert set(found) == {"forces"}
    assert not found["forces"].requires_grad
    torch.testing.assert_close(found["forces"], expected, rtol=0, atol=1e-12)


def test_single_atom_has_no_force_and_no_dipole(make_network: Make, make_data: Make) -> None:
    batch = Batch.from_data_list([make_data([8], [[1.0, 2.0, 3.0]])])
    for readout in READOUTS:
        out = make_network("energy", "forces", "dipole", dipole_readout=readout)(batch)
        assert out["energy"].shape == (1,)
        assert not out["forces"].any()
        assert float(out["dipole"].detach().abs().max()) < 1e-12


def test_batch_of_no_molecules_gives_empty_tensors(make_network: Make) -> None:
    batch = Batch(
        pos=torch.zeros(0, 3),
        z=torch.zeros(0, dtype=torch.long),
        batch=torch.zeros(0, dtype=torch.long),
        ptr=torch.zeros(1, dtype=torch.long),
    )
    out = make_network(*EVERYTHING, lmax=2)(batch)
    shapes = {name: tuple(value.shape) for name, value in out.items()}
    assert shapes["energy"] == (0,)
    assert shapes["dipole"] == shapes["forces"] == (0, 3)


def test_two_runs_give_the_same_bits(make_network: Make, make_batch: Make) -> None:
    network, batch = make_network("energy", "forces").float(), make_batch(20, 30)
    batch.pos = batch.pos.float()
    first, second = network(batch), network(batch)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_not_a_number_in_the_weights_is_not_hidden(make_network: Make, make_batch: Make) -> None:
    network = make_network("energy")
    network.embedding.data[2] = float("nan")
    with torch.no_grad():
        assert bool(network(make_batch(12))["energy"].isnan().all())


def test_periodic_images_are_neighbours(make_network: Make, make_data: Make) -> None:
    network = make_network("energy", "forces", "charges")
    box = torch.diag(torch.tensor([5.0, 6.0, 30.0]))
    one = make_data([6, 8], [[0.1, 0.2, 0.0], [1.2, 0.4, 0.3]])
    four = Data(
        pos=torch.cat([one.pos + i * box[0] + j * box[1] for i in (0, 1) for j in (0, 1)]),
        z=one.z.repeat(4),
        cell=(box * torch.tensor([[2.0], [2.0], [1.0]]))[None],
        pbc=torch.ones(1, 3, dtype=torch.bool),
    )
    one.cell, one.pbc = box[None], torch.ones(1, 3, dtype=torch.bool)
    small, large = (network(Batch.from_data_list([record])) for record in (one, four))
    torch.testing.assert_close(large["charges"], small["charges"].repeat(4), rtol=0, atol=1e-11)
    torch.testing.assert_close(large["forces"], small["forces"].repeat(4, 1), rtol=0, atol=1e-11)


def test_parameters_of_the_reference_network(make_schema: Make) -> None:
    """67,335 with three whole convolutions; the first has no use for 8,192 of its weights."""
    config = DepthwiseConfig(dipole_readout="charge+vector")
    network = DepthwiseNetwork(config, make_schema("dipole"))

    def count(module: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in module.parameters())

    whole = count(DepthwiseConvolution(1, 32, extra_scalars=1))
    idle = whole - count(network.convolutions[0])
    assert count(network) + idle == 67_335
    assert count(network) == count_parameters(32, 3, 1, vectors=True) == 59_143


def test_prepare_sets_averages_and_gives_the_same_twice(
    make_network: Make, make_batch: Make
) -> None:
    network, batch = make_network("energy", "dipole"), make_batch(8, 9, 12, 15, 11, 7)
    batch.energy = torch.randn(6) - 40.0 * batch.ptr.diff()
    batch.dipole = torch.randn(6, 3)
    states = []
    for _ in range(2):
        network.prepare([batch])
        states.append({name: value.clone() for name, value in network.state_dict().items()})
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert float(network.convolutions[0].average_neighbors) > 1.0
    assert float(network.basis.scale) != 1.0
    assert network.target_spreads["energy"] < 3.0


def test_state_goes_into_a_fresh_network(make_network: Make, make_batch: Make) -> None:
    first, second = (make_network(*EVERYTHING, lmax=2) for _ in range(2))
    batch = make_batch(7)
    second.load_state_dict(first.state_dict())
    assert_same(second(batch), first(batch))


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"z": torch.tensor([6, 17, 1])}, InvalidInput, "atom 1 has atomic number 17.*1, 6, 7"),
        ({"z": torch.tensor([6, 0, 1])}, InvalidInput, "atom 1 has atomic number 0"),
        ({"z": torch.tensor([6, -3, 1])}, InvalidInput, "atom 1 has atomic number -3"),
        ({"z": torch.tensor([6.0, 1.0, 1.0])}, WrongType, "float32: use int64"),
        ({"pos": torch.zeros(3, 3, dtype=torch.float32)}, WrongType, "float32.*float64"),
        ({"pos": torch.full((3, 3), float("nan")).double()}, DataError, "atom 0"),
        ({"pos": torch.zeros(3, 3).double()}, DataError, "atom 0.* and atom 1"),
    ],
)
def test_bad_molecule_is_named(
    make_network: Make,
    make_data: Make,
    change: dict[str, Any],
    error: type[Exception],
    text: str,
) -> None:
    record = make_data([6, 8, 1], [[0, 0, 0], [0, 0, 1.2], [1.0, 0, 0.3]])
    for name, value in change.items():
        record[name] = value
    with pytest.raises(error, match=text):
        make_network("energy")(Batch.from_data_list([record]))


def test_atoms_too_close_are_warned_of(make_network: Make, make_data: Make) -> None:
    batch = Batch.from_data_list([make_data([6, 8], [[0, 0, 0], [0, 0, 0.1]])])
    with pytest.warns(CloseAtoms, match=r"0.1 angstrom apart: is the unit"):
        out = make_network("energy")(batch)
    assert bool(torch.isfinite(out["energy"]).all())


@pytest.mark.parametrize(
    ("names", "config", "text"),
    [
        (
            ("dipole",),
            {"lmax": 0, "dipole_readout": "vector"},
            "lmax 0 has no vector features; use the charge read-out",
        ),
        (("dipole",), {"dipole_readout": "scalar"}, "no scalar read-out"),
        (("polarizability",), {"lmax": 1}, "lmax 1 has no features of order 2"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    make_network: Make, names: tuple[str, ...], config: dict[str, Any], text: str
) -> None:
    with pytest.raises(InvalidSetting, match=text):
        make_network(*names, **config)
