"""Atoms and complexes as volumes: channels, middle of the grid, and what is kept of a record."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.data import Data

from intertwiner_steerable3d.errors import InvalidInput
from intertwiner_steerable3d.voxels.adapters import VolumeOfAtoms, VolumeOfComplex
from intertwiner_steerable3d.voxels.config import AtomsToVoxels, ComplexToVoxels


def molecule(z, pos, **more):
    return Data(pos=torch.tensor(pos), z=torch.tensor(z), name="made", **more)


def test_elements_have_channels_of_their_own():
    draw = VolumeOfAtoms(AtomsToVoxels())
    for z, channel in ((1, 0), (6, 1), (7, 2), (8, 3), (16, 4), (17, 5), (0, 5)):
        mass = draw(molecule([z], [[0.0, 0, 0]])).volume.sum((0, 2, 3, 4))
        assert mass.nonzero()[:, 0].tolist() == [channel]


def test_the_place_of_a_molecule_does_not_matter():
    draw = VolumeOfAtoms(AtomsToVoxels())
    pos = [[0.0, 0, 0], [1.1, 0, 0.3], [0, 1.5, 0]]
    far = [[x + 64.0, y - 32.0, z + 16.0] for x, y, z in pos]
    one, other = (draw(molecule([6, 8, 1], places)).volume for places in (pos, far))
    torch.testing.assert_close(one, other, rtol=0, atol=1e-4)


def test_what_a_record_says_of_itself_as_a_whole_stays():
    record = molecule([6, 8], [[0.0, 0, 0], [1.2, 0, 0]], energy=torch.tensor([1.5]))
    record.forces = torch.zeros(2, 3)
    made = VolumeOfAtoms(AtomsToVoxels())(record)
    assert float(made.energy) == 1.5
    assert made.name == "made"
    assert "forces" not in made
    assert "pos" not in made
    assert made.num_nodes == 1


def test_parts_of_a_complex_have_channels_of_their_own_about_the_ligand():
    pos = [[0.0, 0, 0], [3.0, 0, 0], [90.0, 0, 0], [0.5, 0, 0]]
    record = molecule([8, 6, 6, 1], pos, part=torch.tensor([1, 0, 0, 1]))
    record.pos = record.pos - record.pos[0]
    made = VolumeOfComplex(ComplexToVoxels())(record).volume
    assert made.shape == (1, 10, 25, 25, 25)
    assert made.sum((0, 2, 3, 4)).nonzero()[:, 0].tolist() == [0, 7]


def test_a_complex_without_a_ligand_and_atoms_in_the_plane_are_refused():
    with pytest.raises(InvalidInput, match="made: no atom of a ligand"):
        VolumeOfComplex(ComplexToVoxels())(molecule([6], [[0.0, 0, 0]], part=torch.tensor([0])))
    with pytest.raises(InvalidInput, match="2 dimensions"):
        VolumeOfAtoms(AtomsToVoxels())(molecule([0], [[0.0, 0]]))
    with pytest.raises(InvalidInput, match="no atoms"):
        VolumeOfAtoms(AtomsToVoxels())(
            Data(pos=torch.zeros(0, 3), z=torch.zeros(0, dtype=torch.int64), name="made")
        )
