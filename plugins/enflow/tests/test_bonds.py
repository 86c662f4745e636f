"""Bonds from distances: the table, small molecules, and cases on the border of the table."""

from __future__ import annotations

import math

import pytest
import torch
from torch_geometric.data import Data

from intertwiner.errors import DataError
from intertwiner_enflow.molecules import (
    ELEMENTS,
    VALENCES,
    bond_orders,
    stability,
    stable_atoms,
)
from intertwiner_enflow.molecules.bonds import DOUBLE, SINGLE, SYMBOLS, TRIPLE, thresholds

TETRAHEDRON = torch.tensor(
    [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=torch.float64
) / math.sqrt(3)


def molecule(symbols: str, places: list[list[float]] | torch.Tensor) -> Data:
    z = torch.tensor([ELEMENTS[symbol] for symbol in symbols])
    return Data(z=z, pos=torch.as_tensor(places, dtype=torch.float64), num_nodes=len(z))


def around(centre: str, corner: str, length: float, corners: int) -> Data:
    """`corners` atoms at tetrahedral places about one."""
    places = torch.cat([torch.zeros(1, 3, dtype=torch.float64), length * TETRAHEDRON[:corners]])
    return molecule(centre + corner * corners, places)


def line(symbols: str, lengths: list[float]) -> Data:
    """Atoms in a line, at the given distances from one to the next."""
    ends = [0.0]
    for length in lengths:
        ends.append(ends[-1] + length)
    return molecule(symbols, [[end, 0.0, 0.0] for end in ends])


def planar(carbons: float, hydrogens: float) -> Data:
    """Ethene with the given lengths."""
    x, y = carbons / 2 + hydrogens / 2, hydrogens * math.sqrt(3) / 2
    return molecule(
        "CCHHHH",
        [
            *([-carbons / 2, 0.0, 0.0], [carbons / 2, 0.0, 0.0]),
            *([-x, y, 0.0], [-x, -y, 0.0], [x, y, 0.0], [x, -y, 0.0]),
        ],
    )


WATER = molecule("OHH", [[0, 0, 0], [0.757, 0.586, 0], [-0.757, 0.586, 0]])
FORMALDEHYDE = molecule("COHH", [[0, 0, 0], [1.205, 0, 0], [-0.58, 0.94, 0], [-0.58, -0.94, 0]])


@pytest.mark.parametrize(
    "record",
    [
        around("C", "H", 1.09, 4),
        WATER,
        line("HCN", [1.066, 1.153]),
        FORMALDEHYDE,
        line("HCCH", [1.061, 1.203, 1.061]),
        planar(1.339, 1.086),
        around("N", "F", 1.365, 3),
    ],
    ids=["methane", "water", "HCN", "formaldehyde", "acetylene", "ethene", "NF3"],
)
def test_small_molecules_are_stable(record: Data) -> None:
    found = stability([record])
    assert found.stable_atoms == found.atoms
    assert found.stable_molecules == 1


@pytest.mark.parametrize(
    "record", [around("N", "H", 1.02, 4), around("C", "H", 1.08, 3)], ids=["NH4", "CH3"]
)
def test_atoms_with_too_many_or_too_few_bonds_are_not(record: Data) -> None:
    flags = stable_atoms(record.z, record.pos)
    assert not flags[0]
    assert flags[1:].all()
    assert stability([record]).stable_molecules == 0


def test_the_borders_of_the_table_are_as_they_are() -> None:
    """Benzene's 1.39 angstrom is the limit of a double bond, CO2's 1.162 that of a triple."""
    for length, order in ((1.389, 2), (1.391, 1), (1.229, 3), (1.231, 2)):
        record = line("CC", [length])
        assert int(bond_orders(record.z, record.pos)[0, 1]) == order
    for length, order in ((1.159, 3), (1.162, 2), (1.251, 1)):
        record = line("CO", [length])
        assert int(bond_orders(record.z, record.pos)[0, 1]) == order
    dioxide = line("OCO", [1.162, 1.162])
    assert stability([dioxide]).stable_molecules == 1


def test_benzene_depends_on_which_side_of_the_border_its_bonds_fall() -> None:
    def ring(length: float) -> Data:
        angles = torch.arange(6, dtype=torch.float64) * math.pi / 3
        circle = torch.stack([angles.cos(), angles.sin(), 0 * angles], dim=1)
        return molecule("CCCCCCHHHHHH", torch.cat([length * circle, (length + 1.09) * circle]))

    assert not stable_atoms(ring(1.389).z, ring(1.389).pos)[:6].any()
    assert not stable_atoms(ring(1.397).z, ring(1.397).pos)[:6].any()


def test_the_table_is_symmetric_nested_and_complete() -> None:
    limits = thresholds()
    torch.testing.assert_close(limits, limits.transpose(1, 2))
    assert bool((limits[0] >= limits[1]).all() and (limits[1] >= limits[2]).all())
    numbers = sorted(SYMBOLS)
    assert len(SINGLE) == len(numbers) * (len(numbers) + 1) // 2
    assert all(limits[0, one, other] > 0 for one in numbers for other in numbers)
    assert set(TRIPLE) <= set(DOUBLE) <= set(SINGLE)
    assert set(VALENCES) == set(SYMBOLS)
    assert all(VALENCES[number] == (VALENCES[number][0],) for number in (1, 6, 7, 8, 9))


def test_bonds_do_not_depend_on_the_order_of_atoms() -> None:
    order = torch.tensor([3, 0, 2, 1])
    found = bond_orders(FORMALDEHYDE.z, FORMALDEHYDE.pos)
    moved = bond_orders(FORMALDEHYDE.z[order], FORMALDEHYDE.pos[order] + 7.0)
    assert torch.equal(moved, found[order][:, order])
    assert torch.equal(found, found.T)


def test_an_element_outside_the_table_is_named() -> None:
    with pytest.raises(DataError, match=r"atom 1 is element 35; .*S \(16\)|.*S"):
        bond_orders(torch.tensor([6, 35]), torch.zeros(2, 3))
