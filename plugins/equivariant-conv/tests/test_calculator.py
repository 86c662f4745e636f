"""The ASE calculator: the model's own numbers, exact forces, dynamics that keep their energy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data

from intertwiner.fields import GRAPH, Field, Scalar
from intertwiner.schema import Schema
from intertwiner_equivariant_conv import DepthwiseNetwork
from intertwiner_equivariant_conv.errors import InvalidInput, InvalidSetting

ase = pytest.importorskip("ase", reason="needs ASE: pip install ase")
units = pytest.importorskip("ase.units")

Network = Callable[..., DepthwiseNetwork]


def atoms_of(record: Data, **settings: Any) -> Any:
    return ase.Atoms(numbers=record.z.numpy(), positions=record.pos.numpy(), **settings)


def calculator(*arguments: Any, **settings: Any) -> Any:
    from intertwiner_equivariant_conv.calculator import IntertwinerCalculator

    return IntertwinerCalculator(*arguments, **settings)


@pytest.mark.parametrize("targets", [("energy",), ("energy", "forces")])
def test_energy_and_forces_are_those_of_the_model(
    make_network: Network, make_molecule: Callable[..., Data], targets: tuple[str, ...]
) -> None:
    record, network = make_molecule(7), make_network(*targets)
    atoms = atoms_of(record, calculator=calculator(network))
    batch = Batch.from_data_list([record])
    batch.pos.requires_grad_()
    energy = network(batch)["energy"]
    (slope,) = torch.autograd.grad(energy.sum(), batch.pos)
    assert atoms.get_potential_energy() == float(energy.detach())
    np.testing.assert_allclose(atoms.get_forces(), -slope.numpy(), rtol=0, atol=1e-12)
    assert np.abs(atoms.get_forces()).max() > 1e-3


@pytest.mark.parametrize("periodic", [False, True])
def test_forces_are_minus_the_slope_of_the_energy(
    make_network: Network, make_molecule: Callable[..., Data], periodic: bool
) -> None:
    atoms = atoms_of(make_molecule(5), cell=[6.5, 6.0, 7.0], pbc=periodic)
    atoms.calc = calculator(make_network("energy"))
    forces, step = atoms.get_forces(), 1e-4
    assert np.abs(forces).max() > 1e-3
    for atom, axis in ((0, 0), (2, 1), (4, 2)):
        energies = []
        for sign in (1, -1):
            atoms.positions[atom, axis] += sign * step
            energies.append(atoms.get_potential_energy())
            atoms.positions[atom, axis] -= sign * step
        slope = (energies[0] - energies[1]) / (2 * step)
        assert abs(forces[atom, axis] + slope) < 1e-6 * np.abs(forces).max()


def test_a_crystal_has_the_energy_of_its_supercell_for_every_cell(
    make_network: Network, make_molecule: Callable[..., Data]
) -> None:
    atoms = atoms_of(make_molecule(3), cell=[5.5, 5.0, 6.0], pbc=True)
    model = calculator(make_network("energy"))
    single, double = atoms.copy(), atoms.repeat((2, 1, 1))
    single.calc = double.calc = model
    once = single.get_potential_energy()
    assert abs(double.get_potential_energy() - 2 * once) < 1e-10
    alone = atoms.copy()
    alone.pbc, alone.calc = False, model
    assert abs(alone.get_potential_energy() - once) > 1e-6


def test_dynamics_at_constant_energy_do_not_drift(
    make_network: Network, make_molecule: Callable[..., Data]
) -> None:
    from ase.md.verlet import VelocityVerlet

    atoms = atoms_of(make_molecule(6), calculator=calculator(make_network("energy")))
    spread = np.sqrt(atoms.get_masses() * 100 * units.kB)
    atoms.set_momenta(np.random.default_rng(0).normal(size=(6, 3)) * spread[:, None])
    totals, kinetic = [atoms.get_total_energy()], [atoms.get_kinetic_energy()]
    dynamics = VelocityVerlet(atoms, timestep=0.25 * units.fs)
    for _ in range(10):
        dynamics.run(20)
        totals.append(atoms.get_total_energy())
        kinetic.append(atoms.get_kinetic_energy())
    assert np.ptp(kinetic) > 1e-3
    assert np.ptp(totals) < 1e-2 * np.ptp(kinetic)


def test_precision_is_raised_on_a_copy(
    make_network: Network, make_molecule: Callable[..., Data]
) -> None:
    network = make_network("energy").float()
    exact = calculator(network, dtype=torch.float64)
    atoms = atoms_of(make_molecule(4))
    energies = [
        exact.get_potential_energy(atoms),
        calculator(network).get_potential_energy(atoms.copy()),
    ]
    assert next(network.parameters()).dtype == torch.float32
    assert 0 < abs(energies[0] - energies[1]) < 1e-4


def test_other_units_of_energy_are_converted(
    make_network: Network, make_molecule: Callable[..., Data]
) -> None:
    network, atoms = make_network("energy"), atoms_of(make_molecule(4))
    before = calculator(network).get_potential_energy(atoms)
    network.schema = with_energy_in(network.schema, "hartree")
    assert abs(calculator(network).get_potential_energy(atoms) / before - 27.2114) < 1e-3
    network.schema = with_energy_in(network.schema, "furlong")
    with pytest.raises(InvalidSetting, match="in 'furlong'; known units are eV, hartree"):
        calculator(network)


def with_energy_in(schema: Schema, unit: str) -> Schema:
    return dataclasses.replace(schema, targets=(Field("energy", GRAPH, Scalar(), unit),))


def test_what_is_no_model_of_energies_is_refused(make_network: Network) -> None:
    with pytest.raises(InvalidSetting, match="predicts dipole: a calculator needs"):
        calculator(make_network("dipole"))
    with pytest.raises(InvalidSetting, match="Linear is no run folder, run or network"):
        calculator(torch.nn.Linear(1, 1))
    with pytest.raises(InvalidInput, match="no atoms"):
        calculator(make_network("energy")).get_potential_energy(ase.Atoms())


def test_an_element_the_model_does_not_know_is_named(make_network: Network) -> None:
    with pytest.raises(InvalidInput, match="atom 0 has atomic number 79; this model knows 1, 6"):
        calculator(make_network("energy")).get_potential_energy(ase.Atoms("Au"))
