"""Atoms to volumes: what is conserved, what moves with what, and what is refused."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from intertwiner_steerable3d.errors import InvalidInput, InvalidSetting, VoxelWarning
from intertwiner_steerable3d.voxels.grid import Grid
from intertwiner_steerable3d.voxels.voxelise import voxelise_atoms


def cloud(atoms: int, spread: float, seed: int = 0):
    draw = torch.Generator().manual_seed(seed)
    pos = spread * (2 * torch.rand(atoms, 3, generator=draw, dtype=torch.float64) - 1)
    return pos, torch.randint(2, (atoms,), generator=draw), torch.tensor([0, atoms])


def volume(pos, channel, ptr, grid, **settings):
    return voxelise_atoms(pos, channel, ptr, grid, channels=2, **settings).volume


@pytest.mark.parametrize(("normalise", "tolerance"), [("mass", 1e-3), ("grid", 1e-12)])
def test_mass_is_conserved(normalise, tolerance):
    pos, channel, ptr = cloud(20, 4.0)
    out = volume(pos, channel, ptr, Grid.cube(21), normalise=normalise)
    expected = torch.bincount(channel, minlength=2).double()
    torch.testing.assert_close(out.sum((0, 2, 3, 4)), expected, rtol=tolerance, atol=0)


def test_an_atom_on_a_voxel_has_its_weight_there():
    out = volume(
        torch.zeros(1, 3),
        torch.zeros(1, dtype=torch.int64),
        torch.tensor([0, 1]),
        Grid.cube(9),
        weight=torch.tensor([2.5]),
    )
    assert float(out[0, 0, 4, 4, 4]) == 2.5


@given(st.integers(0, 2), st.integers(-2, 2))
def test_moving_all_atoms_by_voxels_moves_the_volume(axis, voxels):
    pos, channel, ptr = cloud(12, 3.0)
    grid = Grid.cube(33, 0.5)
    shift = torch.zeros(3, dtype=torch.float64)
    shift[axis] = 0.5 * voxels
    before = volume(pos, channel, ptr, grid, sigma=0.5)
    after = volume(pos + shift, channel, ptr, grid, sigma=0.5)
    torch.testing.assert_close(after, before.roll(voxels, axis + 2), rtol=0, atol=1e-12)


def test_turning_all_atoms_by_90_degrees_turns_the_volume():
    pos, channel, ptr = cloud(12, 5.0)
    turned = pos[:, [1, 0, 2]] * torch.tensor([-1.0, 1, 1], dtype=torch.float64)
    for side in (12, 13):
        before = volume(pos, channel, ptr, Grid.cube(side))
        after = volume(turned, channel, ptr, Grid.cube(side))
        torch.testing.assert_close(after, before.rot90(1, (2, 3)), rtol=0, atol=1e-12)


def test_unequal_steps_are_in_angstrom():
    pos, channel, ptr = cloud(6, 2.0)
    fine = volume(pos, channel, ptr, Grid((21, 21, 41), (0.5, 0.5, 0.25)))
    even = volume(pos, channel, ptr, Grid.cube(21, 0.5))
    torch.testing.assert_close(fine[..., ::2], even, rtol=0, atol=1e-12)


def test_positions_weights_and_widths_have_gradients():
    pos, channel, ptr = cloud(5, 2.0)
    leaves = (
        pos.requires_grad_(),
        torch.ones(5, dtype=torch.float64, requires_grad=True),
        torch.full((5,), 0.9, dtype=torch.float64, requires_grad=True),
    )

    def run(pos, weight, sigma):
        grid = Grid.cube(5)
        return volume(pos, channel, ptr, grid, sigma=sigma, weight=weight, normalise="mass")

    assert torch.autograd.gradcheck(run, leaves)


def test_atoms_outside_are_counted_and_leave_nothing():
    pos = torch.tensor([[0.0, 0, 0], [40, 0, 0], [0, -90, 0]])
    found = voxelise_atoms(
        pos, torch.zeros(3, dtype=torch.int64), torch.tensor([0, 3]), Grid.cube(9), channels=1
    )
    assert found.outside.tolist() == [2]
    assert bool(found.volume.isfinite().all())


@pytest.mark.parametrize("normalise", ["peak", "mass", "grid"])
def test_a_grid_that_misses_all_its_atoms_is_zero_and_warned_of(normalise):
    pos = torch.tensor([[100.0, 0, 0], [0, 100, 0]])
    none = torch.zeros(2, dtype=torch.int64)
    with pytest.warns(VoxelWarning, match=r"grid 1: all its 2 atoms lie outside"):
        found = voxelise_atoms(
            pos, none, torch.tensor([0, 0, 2]), Grid.cube(9), channels=1, normalise=normalise
        )
    assert not found.volume.any()
    assert found.outside.tolist() == [0, 2]


def test_an_environment_without_atoms_is_a_zero_grid():
    none = torch.zeros(0, dtype=torch.int64)
    found = voxelise_atoms(torch.zeros(0, 3), none, torch.tensor([0, 0]), Grid.cube(3), channels=2)
    assert found.volume.shape == (1, 2, 3, 3, 3)
    assert not found.volume.any()


def test_a_single_voxel_and_coincident_atoms_are_defined():
    pos = torch.zeros(2, 3)
    channel = torch.tensor([0, 0])
    out = volume(pos, channel, torch.tensor([0, 2]), Grid.cube(1))
    assert float(out[0, 0, 0, 0, 0]) == 2.0


@pytest.mark.fault("F20")
def test_a_position_that_is_not_finite_is_refused_with_its_atom():
    pos = torch.zeros(3, 3)
    pos[1, 2] = math.nan
    with pytest.raises(InvalidInput, match="atom 1"):
        volume(pos, torch.zeros(3, dtype=torch.int64), torch.tensor([0, 3]), Grid.cube(5))


def test_sigma_channel_and_grid_out_of_range_are_refused():
    pos, channel, ptr = cloud(3, 1.0)
    with pytest.raises(InvalidInput, match=r"sigma 0.* must be positive"):
        volume(pos, channel, ptr, Grid.cube(5), sigma=0.0)
    with pytest.raises(InvalidInput, match="atom 2: sigma -1"):
        volume(pos, channel, ptr, Grid.cube(5), sigma=torch.tensor([1.0, 1, -1]))
    with pytest.raises(InvalidInput, match="atom 0: channel 7 of 2"):
        volume(pos, channel + 7, ptr, Grid.cube(5))
    with pytest.raises(InvalidSetting, match="step 0"):
        Grid.cube(5, 0.0)
    with pytest.raises(InvalidSetting, match="0 voxels along x"):
        Grid.cube(0)


def test_gaussians_sharper_than_half_a_voxel_are_warned_of():
    pos, channel, ptr = cloud(3, 1.0)
    with pytest.warns(VoxelWarning, match="aliased"):
        volume(pos, channel, ptr, Grid.cube(5, 2.0), sigma=0.8)
