"""Convolutions by Fourier transforms give what plain ones give."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from intertwiner_steerable3d.bases.settings import PAPER
from intertwiner_steerable3d.errors import InvalidInput, InvalidSetting
from intertwiner_steerable3d.layers.convolution import SteerableConv3d
from intertwiner_steerable3d.layers.fourier import FourierConv3d, best_tile
from intertwiner_steerable3d.layers.normalization import FieldBatchNorm


@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("tile", [None, 8, 14])
def test_tiles_that_do_not_fit_the_volume_give_the_plain_convolution(
    size: int, tile: int | None
) -> None:
    torch.manual_seed(0)
    kernel, bias, x = torch.randn(4, 3, *(size,) * 3), torch.randn(4), torch.randn(2, 3, 11, 14, 9)
    for padding in (0, size // 2):
        found = FourierConv3d(kernel, bias, padding, tile=tile)(x)
        expected = nn.functional.conv3d(x, kernel, bias, padding=padding)
        assert found.shape == expected.shape
        assert (found - expected).abs().max() < 5e-6 * expected.abs().max()


def test_a_layer_gives_the_same_by_fourier_transforms(fields: Callable[..., Tensor]) -> None:
    layer = SteerableConv3d((2, 1), (3, 1), 5, basis=PAPER, norm=FieldBatchNorm((2, 1))).double()
    x = fields(5, side=10)
    layer(x)
    with pytest.raises(InvalidSetting, match=r"call eval\(\) first"):
        layer.to_fourier()
    with torch.no_grad():
        torch.testing.assert_close(layer.eval().to_fourier()(x), layer(x))
    with pytest.raises(InvalidSetting, match="stride 1"):
        SteerableConv3d((1,), (1,), 3, stride=2).to_fourier()


def test_tiles_are_few_enough_to_share_the_kernel() -> None:
    assert best_tile(5, 64, 64, (32, 32, 32)) == 20
    assert best_tile(7, 64, 64, (32, 32, 32)) == 22


def test_kernels_and_volumes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidSetting, match="at most 40"):
        best_tile(41, 1, 1, (50, 50, 50))
    with pytest.raises(InvalidInput, match="smaller than the kernel"):
        FourierConv3d(torch.randn(1, 1, 7, 7, 7), None, 0)(torch.randn(1, 1, 5, 9, 9))
