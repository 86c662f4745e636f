from __future__ import annotations

import pytest
import torch

from tiny_painn.config import IonsConfig
from tiny_painn.data import CHLORINE, COULOMB, SODIUM, WALL, dipole, energy, ions

AXIS = torch.tensor([1.0, 0, 0])


def at(distance: float) -> torch.Tensor:
    return torch.stack([0 * AXIS, distance * AXIS])


def test_charges_of_one_sign_repel_and_of_two_attract():
    like, unlike = torch.tensor([SODIUM, SODIUM]), torch.tensor([SODIUM, CHLORINE])
    wall = COULOMB / 4 * (WALL / 4) ** 8
    assert float(energy(at(4.0), like)) == pytest.approx(COULOMB / 4 + wall)
    assert float(energy(at(4.0), unlike)) == pytest.approx(-COULOMB / 4 + wall)


def test_the_dipole_points_from_the_negative_to_the_positive_ion():
    found = dipole(at(3.0), torch.tensor([CHLORINE, SODIUM]))
    assert found.tolist() == [3.0, 0.0, 0.0]


def test_every_cluster_carries_the_labels_of_its_own_ions():
    for record in ions(IonsConfig(count=20)):
        assert float(record.energy) == pytest.approx(float(energy(record.pos, record.z)))
        assert torch.allclose(record.dipole[0], dipole(record.pos, record.z))


def test_no_cluster_is_in_two_parts():
    parts = ions(IonsConfig(count=50)).splits["random"].values()
    assert sorted(number for part in parts for number in part) == list(range(50))
