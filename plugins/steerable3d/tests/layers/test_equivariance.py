"""Every layer commutes with the 24 rotations of an odd grid; a broken one is found out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from intertwiner_steerable3d.bases.settings import PAPER, BasisSettings
from intertwiner_steerable3d.layers.block import BlockSettings, GatedBlock
from intertwiner_steerable3d.layers.convolution import SteerableConv3d
from intertwiner_steerable3d.layers.field_type import FieldType, count_channels
from intertwiner_steerable3d.layers.gate import NormNonlinearity
from intertwiner_steerable3d.layers.low_pass import LowPass
from intertwiner_steerable3d.layers.normalization import FieldBatchNorm
from intertwiner_steerable3d.layers.residual import ResidualBlock
from intertwiner_steerable3d.layers.unet import UNet

IN: FieldType = (2, 1, 1)
OUT: FieldType = (2, 2, 1, 1)
SMOOTH = BlockSettings(basis=PAPER)
PLAIN = BlockSettings(basis=PAPER, smooth=False, pad_after_norm=True, norm_kind="component")

LAYERS: dict[str, tuple[Callable[[], nn.Module], FieldType]] = {
    "convolution, paper": (lambda: SteerableConv3d(IN, OUT, 5, basis=PAPER), OUT),
    "convolution, optimal": (lambda: SteerableConv3d(IN, OUT, 5), OUT),
    "convolution, solid": (
        lambda: SteerableConv3d(IN, OUT, 3, basis=BasisSettings(kind="solid")),
        OUT,
    ),
    "norm": (lambda: FieldBatchNorm(IN), IN),
    "norm nonlinearity": (lambda: NormNonlinearity(IN), IN),
    "low-pass": (lambda: LowPass(2.0, 2), IN),
    "gated block, low-pass stride": (
        lambda: GatedBlock(IN, OUT, 5, stride=2, settings=SMOOTH),
        OUT,
    ),
    "gated block, plain stride": (lambda: GatedBlock(IN, OUT, 5, stride=2, settings=PLAIN), OUT),
    "residual, as published": (
        lambda: ResidualBlock(IN, [OUT, OUT], 3, stride=2, paper_exact=True, settings=SMOOTH),
        OUT,
    ),
    "residual, activated": (lambda: ResidualBlock(IN, [OUT, IN], 3, settings=PLAIN), IN),
    "u-net": (lambda: UNet(IN, [IN, OUT], (3, 1), size=3, settings=SMOOTH), (3, 1)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_commutes_with_the_rotations_of_the_grid(
    name: str,
    turn: Callable[[Tensor, FieldType, int], Tensor],
    fields: Callable[..., Tensor],
    some_rotations: list[int],
) -> None:
    torch.manual_seed(0)
    build, out = LAYERS[name]
    layer = build().double()
    x = fields(10)
    before = layer(x)
    assert before.norm() > 1e-3 * x.norm()
    for number in some_rotations:
        after = layer(turn(x, IN, number))
        expected = turn(before, out, number)
        assert (after - expected).norm() < 1e-10 * expected.norm()


def test_single_precision_keeps_the_rotations_of_the_grid_to_1e_5(
    turn: Callable[[Tensor, FieldType, int], Tensor],
    fields: Callable[..., Tensor],
    some_rotations: list[int],
) -> None:
    torch.manual_seed(0)
    layer = GatedBlock(IN, OUT, 5, stride=2, settings=SMOOTH)
    x = fields(10).float()
    before = layer(x)
    for number in some_rotations:
        expected = turn(before, OUT, number)
        assert (layer(turn(x, IN, number)) - expected).norm() < 1e-5 * expected.norm()


def test_a_random_kernel_does_not_commute_with_them(
    turn: Callable[[Tensor, FieldType, int], Tensor], fields: Callable[..., Tensor]
) -> None:
    torch.manual_seed(0)
    layer = nn.Conv3d(10, count_channels(OUT), 3, padding=1).double()
    x = fields(10)
    expected = turn(layer(x), OUT, 5)
    assert (layer(turn(x, IN, 5)) - expected).norm() > 0.1 * expected.norm()
