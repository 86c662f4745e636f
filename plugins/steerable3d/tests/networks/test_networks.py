"""Published numbers of parameters, and symmetries of whole networks."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch
from torch import nn

from intertwiner_steerable3d.bases.settings import BasisSettings
from intertwiner_steerable3d.equivariance.elements import BASES
from intertwiner_steerable3d.errors import InvalidSetting
from intertwiner_steerable3d.layers.block import BlockSettings
from intertwiner_steerable3d.layers.heads import SpatialMean
from intertwiner_steerable3d.networks import build
from intertwiner_steerable3d.networks.steerable import gated_stack
from intertwiner_steerable3d.networks.turning import ROTATIONS, RandomGridRotation, turn_axes

STEERABLE = {
    ("tetris", 1, 8): {
        "compromise": 41_198,
        "conservative": 40_141,
        "sfcnn": 41_550,
        "optimal": 28_924,
    },
    ("shrec17", 1, 55): {
        "compromise": 142_617,
        "conservative": 141_677,
        "sfcnn": 142_805,
        "optimal": 111_029,
    },
    ("cath", 1, 10): {
        "compromise": 143_560,
        "conservative": 110_186,
        "sfcnn": 156_760,
        "optimal": 74_604,
    },
    ("cath_repaired", 1, 10): {"compromise": 158_804},
    ("propensity", 4, 20): {"compromise": 163_822, "optimal": 156_278},
    ("propensity_L", 4, 20): {"compromise": 643_592, "optimal": 613_544},
}
PLAIN = {
    ("tetris_cnn", 1, 8, 36): 6_221_832,
    ("cath_cnn", 1, 10, 50): 15_878_764,
    ("cath_cnn_narrow", 1, 10, 50): 996_388,
    ("cath_cnn_wide", 1, 10, 50): 63_472_844,
    ("propensity_cnn", 2, 20, 48): 11_611_812,
    ("propensity_cnn", 2, 20, 60): 61_157_028,
}


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(("name", "channels", "outputs"), STEERABLE)
def test_steerable_networks_have_the_published_numbers_of_parameters(
    name: str, channels: int, outputs: int
) -> None:
    for basis, expected in STEERABLE[name, channels, outputs].items():
        network = build(name, channels=channels, outputs=outputs, grid=49, basis=BASES[basis])
        assert count(network) == expected


def test_the_blocks_of_tetris_have_the_published_numbers() -> None:
    trunk = build("tetris", channels=1, outputs=8, grid=36)[1]
    assert [count(block) for block in trunk] == [70, 3_808, 15_680, 20_608]  # type: ignore[union-attr]


@pytest.mark.parametrize(("name", "channels", "outputs", "grid"), PLAIN)
def test_plain_networks_have_the_published_numbers(
    name: str, channels: int, outputs: int, grid: int
) -> None:
    with torch.device("meta"):
        network = build(name, channels=channels, outputs=outputs, grid=grid)
    assert count(network) == PLAIN[name, channels, outputs, grid]


@pytest.mark.parametrize("name", ["tetris", "cath", "propensity"])
def test_networks_on_odd_grids_do_not_see_rotations_of_the_grid(name: str) -> None:
    torch.manual_seed(0)
    network = build(name, channels=1, outputs=5, grid=9, basis=BASES["conservative"]).double()
    x = torch.randn(1, 1, 9, 9, 9, dtype=torch.float64)
    with torch.no_grad():
        network(x)
        network.eval()
        before = network(x)
        assert (network(turn_axes(x, 14)) - before).norm() < 1e-10 * before.norm()


def test_with_parity_mirrored_volumes_give_the_same_scalars() -> None:
    """So that a network of even scalars cannot tell the two chiral pieces apart."""
    x = torch.randn(1, 1, 9, 9, 9, dtype=torch.float64)
    different = {}
    for parity in (False, True):
        torch.manual_seed(0)
        basis = BasisSettings(kind="shells", band_limit="conservative", parity=parity)
        settings = BlockSettings(basis=basis, momentum=None)
        types = [(1,), (2, 2, 2), (4, 4, 4), (8,)]
        trunk = gated_stack(types, (3, 3, 3), (1, 2, 1), settings=settings)
        network = nn.Sequential(trunk, SpatialMean()).double()
        still, mirrored = network(x).detach(), network(x.flip(2)).detach()
        different[parity] = float((still - mirrored).norm() / still.norm())
    assert different[True] < 1e-12
    assert different[False] > 1e-6


def test_an_initialisation_takes_less_than_a_second() -> None:
    build("cath", channels=1, outputs=10, grid=50)  # imports and bases are made once
    started = time.process_time()
    build("cath", channels=1, outputs=10, grid=50, basis=BasisSettings(tau=0.1))
    assert time.process_time() - started < 10  # a guard against minutes; figures are benchmarks'


def test_grid_rotations_are_24_different_ones_and_drawn_in_training_alone() -> None:
    x = torch.arange(27.0).view(1, 1, 3, 3, 3)
    seen = {tuple(turn_axes(x, number).flatten().tolist()) for number in range(24)}
    assert len(ROTATIONS) == len(seen) == 24
    layer = RandomGridRotation(generator=torch.Generator().manual_seed(0))
    drawn = {tuple(one.flatten().tolist()) for one in layer(x.expand(200, -1, -1, -1, -1))}
    assert drawn == seen
    assert layer.eval()(x) is x


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"preset": "tetriss"}, "did you mean 'tetris'"),
        ({"preset": "propensity_cnn", "grid": 20}, "use 39 or more"),
    ],
)
def test_unknown_names_and_small_grids_are_refused(
    settings: dict[str, object], message: str
) -> None:
    given: Callable[..., nn.Module] = build
    with pytest.raises(InvalidSetting, match=message):
        given(**{"channels": 1, "outputs": 2, "grid": 48, **settings})
