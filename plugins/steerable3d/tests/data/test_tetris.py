"""Tetris pieces: eight shapes, two of them mirror images, at rotations of their own."""

from __future__ import annotations

import pytest
import torch

from intertwiner_steerable3d.data.config import TetrisData
from intertwiner_steerable3d.data.pieces import PIECES, blobs, corners, cubes
from intertwiner_steerable3d.data.rotations import random_rotations
from intertwiner_steerable3d.data.tetris import load
from intertwiner_steerable3d.errors import InvalidSetting


def distances(piece):
    places = corners(piece)
    return torch.pdist(places).sort().values


def test_pieces_differ_in_their_distances_but_for_the_mirrored_pair():
    names = list(PIECES)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            same = torch.equal(distances(one), distances(other))
            assert same == ({one, other} == {"chiral", "mirrored"})


def test_the_mirrored_pair_has_opposite_handedness():
    volumes = []
    for piece in ("chiral", "mirrored"):
        places = corners(piece)
        ends = [i for i in range(4) if ((places - places[i]).norm(dim=1) < 1.1).sum() == 2]
        middle = [i for i in range(4) if i not in ends]
        first = min(ends, key=lambda i: float((places[i] - places[middle[0]]).norm()))
        last = next(i for i in ends if i != first)
        chain = places[[first, middle[0], middle[1], last]].diff(dim=0)
        volumes.append(float(torch.linalg.det(chain)))
    assert volumes[0] * volumes[1] < 0


def test_rotations_are_proper_and_uniform():
    turns = random_rotations(4000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(torch.linalg.det(turns), torch.ones(4000).double())
    assert float(turns.mean(0).abs().max()) < 0.05


def test_a_drawn_piece_has_the_mass_of_four_cubes_wherever_it_is_turned():
    for rotation in random_rotations(5, torch.Generator().manual_seed(1)):
        volume = blobs("L", rotation, torch.zeros(3).double(), side=21, spacing=2.6, sigma=1.0)
        assert float(volume.sum()) == pytest.approx(4 * (2 * torch.pi) ** 1.5, rel=1e-3)


def test_cubes_of_the_paper_fill_500_voxels_of_36():
    still = cubes("T", torch.eye(3))
    assert still.shape == (1, 1, 36, 36, 36)
    assert float(still.sum()) == pytest.approx(500, abs=1e-3)
    quarter = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    turned = cubes("T", quarter)
    torch.testing.assert_close(turned, still.rot90(1, (2, 3)), rtol=0, atol=1e-5)


def test_parts_have_rotations_of_their_own_and_every_piece():
    dataset = load(TetrisData(rotations=2, other_rotations=3))
    sizes = {name: len(dataset.part(name)) for name in ("train", "validation", "test")}
    assert sizes == {"train": 16, "validation": 24, "test": 24}
    for name in sizes:
        labels = torch.cat([record.piece for record in dataset.part(name)])
        assert labels.bincount().tolist() == [sizes[name] // 8] * 8
    assert len(dataset.part("test", "unrotated")) == 8
    first, other = dataset.part("train")[0].volume, dataset.part("test")[0].volume
    assert not torch.allclose(first, other)


def test_the_seed_alone_decides():
    one, again, other = (load(TetrisData(other_rotations=1, seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(one[3].volume, again[3].volume)
    assert not torch.equal(one[3].volume, other[3].volume)


def test_a_grid_that_cannot_hold_the_pieces_is_refused():
    with pytest.raises(InvalidSetting, match=r"data\.side: 9 voxels cannot hold"):
        load(TetrisData(side=9))
