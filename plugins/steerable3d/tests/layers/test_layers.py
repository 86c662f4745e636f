"""Gates, norms, dropout, low-pass filters, heads, calibration."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from intertwiner_steerable3d.errors import InvalidInput, InvalidSetting, VoxelWarning
from intertwiner_steerable3d.layers.block import BlockSettings, GatedBlock
from intertwiner_steerable3d.layers.calibration import calibrate
from intertwiner_steerable3d.layers.dropout import FieldDropout
from intertwiner_steerable3d.layers.gate import Gate, NormNonlinearity
from intertwiner_steerable3d.layers.heads import ShellPooling, SpatialMean
from intertwiner_steerable3d.layers.low_pass import LowPass, TransposedLowPass, filter_taps
from intertwiner_steerable3d.layers.normalization import FieldBatchNorm


def test_a_gate_multiplies_every_field_by_its_own_opening(fields: Callable[..., Tensor]) -> None:
    x = fields(2 + 2 * 3 + 5 + 3, side=3)
    out = Gate((2, 2, 1))(x)
    opening = x[:, 13:].sigmoid()
    assert torch.equal(out[:, :2], x[:, :2].relu())
    for channel, gate in ((2, 0), (4, 0), (5, 1), (7, 1), (8, 2), (12, 2)):
        assert torch.equal(out[:, channel], x[:, channel] * opening[:, gate])
    with pytest.raises(InvalidInput, match="takes"):
        Gate((2, 2, 1))(x[:, 1:])


def test_a_zero_field_stays_zero_without_gradient() -> None:
    x = torch.zeros(1, 4, 2, 2, 2, requires_grad=True)
    out = NormNonlinearity((1, 1))(x)
    out.sum().backward()
    assert out.abs().max() == 0
    assert x.grad is not None
    assert x.grad.abs().max() == 0


@pytest.mark.parametrize("kind", ["field", "component"])
def test_normalised_fields_have_mean_zero_and_unit_length(
    kind: str, fields: Callable[..., Tensor]
) -> None:
    norm = FieldBatchNorm((2, 1), epsilon=0.0, kind=kind).double()  # type: ignore[arg-type]
    out = norm(3 * fields(5) + 1)
    length = out[:, 2:].square().sum(1).mean()
    assert out[:, :2].mean((0, 2, 3, 4)).abs().max() < 1e-12
    assert float(out[:, 0].square().mean()) == pytest.approx(1.0)
    assert float(length) == pytest.approx(1.0 if kind == "field" else 3.0)


def test_running_averages_move_by_the_momentum(fields: Callable[..., Tensor]) -> None:
    norm = FieldBatchNorm((1,), momentum=0.25).double()
    x = fields(1) + 2
    norm(x)
    assert float(norm.mean) == pytest.approx(0.25 * float(x.mean()))
    expected = 0.75 + 0.25 * float(x.var(correction=0))
    assert float(norm.power) == pytest.approx(expected)
    norm.eval()(x)
    assert float(norm.power) == pytest.approx(expected)


def test_a_calibrated_network_is_the_same_in_training_and_evaluation(
    fields: Callable[..., Tensor],
) -> None:
    settings = BlockSettings(frozen=True)
    types = [(1,), (2, 2), (3, 1), (4,)]
    blocks = [GatedBlock(types[k], types[k + 1], 3, settings=settings) for k in range(3)]
    network = nn.Sequential(*blocks).double()
    x = 5 * fields(1) + 3
    calibrate(network, [x])
    torch.testing.assert_close(network(x), network.eval()(x))
    last = blocks[2].convolution.norm
    assert last is not None
    seen = nn.Sequential(*blocks[:2])(x)
    expected = FieldBatchNorm((3, 1), momentum=1.0).double()
    expected(seen)
    torch.testing.assert_close(last.power, expected.power)


def test_dropout_drops_whole_fields_and_keeps_the_mean() -> None:
    generator = torch.Generator().manual_seed(0)
    layer = FieldDropout((2, 2), 0.25, generator=generator)
    x = torch.ones(2000, 8, 1, 1, 2)
    out = layer(x)
    vectors = out[:, 2:].unflatten(1, (2, 3)).flatten(2)
    assert ((vectors == 0).all(2) | (vectors == 4 / 3).all(2)).all()
    assert float(out.mean()) == pytest.approx(1.0, abs=0.03)
    assert torch.equal(layer.eval()(x), x)
    with pytest.raises(InvalidSetting, match="less than 1"):
        FieldDropout((1,), 1.0)


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("side", [9, 12])
def test_the_banded_filter_is_the_dense_one(
    scale: float, stride: int, side: int, fields: Callable[..., Tensor]
) -> None:
    x = fields(3, side=side)
    taps = filter_taps(scale)
    kernel = torch.einsum("x,y,z->xyz", taps, taps, taps).expand(3, 1, -1, -1, -1)
    dense = nn.functional.conv3d(x, kernel, stride=stride, padding=len(taps) // 2, groups=3)
    torch.testing.assert_close(LowPass(scale, stride)(x), dense)


def test_a_constant_passes_the_filter_in_the_interior() -> None:
    out = LowPass(2.0)(torch.ones(1, 1, 11, 11, 11, dtype=torch.float64))
    torch.testing.assert_close(out[..., 3:-3, 3:-3, 3:-3], torch.ones(1, 1, 5, 5, 5).double())
    assert len(filter_taps(2.0)) == 5


def test_the_transposed_filter_is_the_adjoint(fields: Callable[..., Tensor]) -> None:
    x, y = fields(2, side=9), fields(2, side=5, seed=1)
    spread = TransposedLowPass(2.0, 2)(y, (9, 9, 9))
    torch.testing.assert_close((LowPass(2.0, 2)(x) * y).sum() * 8, (x * spread).sum())
    with pytest.raises(InvalidSetting, match="not every 2th"):
        TransposedLowPass(2.0, 2)(y, (12, 12, 12))


def test_shells_are_means_at_distances(fields: Callable[..., Tensor]) -> None:
    x = torch.ones(2, 3, 9, 9, 9, dtype=torch.float64)
    torch.testing.assert_close(ShellPooling(4)(x), torch.ones(2, 12, dtype=torch.float64))
    x = torch.zeros(1, 1, 9, 9, 9, dtype=torch.float64)
    x[..., 4, 4, 4] = 1
    pooled = ShellPooling(4)(x)[0]
    assert pooled[0] > 0
    assert pooled[1:].abs().max() == 0
    y = fields(2)
    torch.testing.assert_close(SpatialMean()(y), y.flatten(2).mean(2))
    with pytest.raises(InvalidSetting, match="0 shells"):
        ShellPooling(0)


def test_an_even_grid_before_a_stride_is_warned_of_once() -> None:
    block = GatedBlock((1,), (1, 1), 3, stride=2)
    with pytest.warns(VoxelWarning, match="grid centre moves by half a voxel"):
        block(torch.randn(1, 1, 8, 8, 8))
    block(torch.randn(1, 1, 8, 8, 8))
    GatedBlock((1,), (1, 1), 3, stride=2)(torch.randn(1, 1, 9, 9, 9))


def test_the_filter_is_differentiable_twice(fields: Callable[..., Tensor]) -> None:
    x = fields(1, side=4, batch=1).requires_grad_()
    assert torch.autograd.gradcheck(LowPass(2.0, 2), (x,))
    assert torch.autograd.gradgradcheck(LowPass(2.0, 2), (x,))
