"""Alignment never raises the cost, and finds a moved copy again."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from intertwiner_enflow.alignment import align, assign, assign_features, cost, rotation


def draw(seed: int, batch: int, particles: int, dimension: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (2, batch, particles, dimension)
    x, z = torch.randn(shape, generator=generator, dtype=torch.float64)
    return x - x.mean(dim=1, keepdim=True), z - z.mean(dim=1, keepdim=True)


SIZES = st.sampled_from([(4, 2), (3, 3), (6, 2), (9, 3), (1, 3)])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), size=SIZES, rounds=st.integers(1, 3))
def test_no_round_raises_the_cost(seed: int, size: tuple[int, int], rounds: int) -> None:
    x, z = draw(seed, 5, *size)
    before = cost(x, z)
    for done in range(1, rounds + 1):
        after = cost(x, align(x, z, done))
        assert bool((after <= before + 1e-9).all())
        before = after


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), size=SIZES)
def test_the_image_lies_on_the_orbit_of_the_noise(seed: int, size: tuple[int, int]) -> None:
    x, z = draw(seed, 4, *size)
    image = align(x, z)

    def invariant(y: Tensor) -> Tensor:
        return torch.cdist(y, y).flatten(1).sort().values

    torch.testing.assert_close(invariant(image), invariant(z))
    torch.testing.assert_close(image.mean(dim=1), torch.zeros_like(image[:, 0]))


@pytest.mark.parametrize(("particles", "dimension"), [(4, 2), (13, 3)])
def test_a_copy_slightly_turned_reflected_and_renumbered_is_recovered(
    particles: int, dimension: int
) -> None:
    x, noise = draw(1, 8, particles, dimension)
    turn = 0.05 * noise[0, :dimension]
    frame = torch.linalg.matrix_exp(turn - turn.T)
    exact = dimension == 2
    if exact:
        frame[:, 0] *= -1
    copy = (x @ frame)[:, torch.randperm(particles)]
    torch.testing.assert_close(align(x, copy, 3, exact=exact), x, rtol=0, atol=1e-9)


def test_in_the_plane_the_best_image_of_all_is_found() -> None:
    x, z = draw(2, 50, 4, 2)
    best = cost(x, align(x, z, exact=True))
    generator = torch.Generator().manual_seed(0)
    several = cost(x, align(x, z, 4, starts=60, generator=generator))
    assert bool((best <= several + 1e-9).all())
    assert float((several - best).median()) < 1e-9


def test_more_starts_are_no_worse() -> None:
    x, z = draw(3, 20, 13, 3)
    one = cost(x, align(x, z, 2))
    many = cost(x, align(x, z, 2, starts=4, generator=torch.Generator().manual_seed(0)))
    assert bool((many <= one + 1e-9).all())
    assert float(many.mean()) < float(one.mean())


def test_rotations_are_orthogonal_and_best() -> None:
    for dimension in (2, 3):
        x, z = draw(4, 10, 5, dimension)
        found = rotation(x, z)
        eye = torch.eye(dimension, dtype=x.dtype).expand_as(found)
        torch.testing.assert_close(found @ found.transpose(1, 2), eye)
        singular = torch.linalg.svdvals(z.transpose(1, 2) @ x).sum(dim=1)
        reached = (found * (z.transpose(1, 2) @ x)).sum(dim=(1, 2))
        torch.testing.assert_close(reached, singular)


def test_small_and_large_assignments_agree() -> None:
    gain = torch.randn(30, 5, 5, generator=torch.Generator().manual_seed(0))
    padded = torch.full((30, 6, 6), -100.0)
    padded[:, :5, :5], padded[:, 5, 5] = gain, 0.0
    torch.testing.assert_close(assign(gain), assign(padded)[:, :5])


def test_padding_stays_where_it_is() -> None:
    x, z = draw(5, 3, 7, 3)
    mask = torch.ones(3, 7, dtype=x.dtype)
    mask[1, 5:] = 0
    order = assign_features(x, z, x[:, :, :2], z[:, :, :2], mask)
    assert order[1, 5:].tolist() == [5, 6]
    assert sorted(order[1].tolist()) == list(range(7))


def test_wrong_use_is_refused() -> None:
    x, z = draw(6, 3, 7, 3)
    with pytest.raises(ValueError, match="make them equal"):
        align(x, z[:, :6])
    with pytest.raises(ValueError, match=r"torch\.Generator"):
        align(x, z, starts=2)
    with pytest.raises(ValueError, match="use starts"):
        align(x, z, exact=True)
