"""The convolution: folded norms, the kept kernel, export, errors."""

from __future__ import annotations

import copy
import io
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from intertwiner_steerable3d.bases.settings import PAPER, BasisSettings
from intertwiner_steerable3d.errors import BasisWarning, InvalidInput, InvalidSetting, WrongType
from intertwiner_steerable3d.layers.convolution import SteerableConv3d
from intertwiner_steerable3d.layers.normalization import FieldBatchNorm

IN, OUT = (2, 1, 1), (1, 2, 1, 0, 1)


def make(**settings: Any) -> SteerableConv3d:
    norm = FieldBatchNorm(IN) if settings.pop("norm", True) else None
    generator = torch.Generator().manual_seed(1)
    merged = {"gates": 4, "basis": PAPER, "bias": True, "norm": norm, "generator": generator}
    return SteerableConv3d(IN, OUT, 5, **{**merged, **settings}).double()


@pytest.fixture
def x(fields: Callable[..., Tensor]) -> Tensor:
    return fields(10, side=9) + 0.7


@pytest.mark.parametrize("pad_after_norm", [False, True])
def test_a_folded_norm_is_norm_and_convolution(x: Tensor, pad_after_norm: bool) -> None:
    """In the interior always; at the border where zeros are padded after the norm."""
    layer = make(pad_after_norm=pad_after_norm)
    alone, norm = make(norm=False), FieldBatchNorm(IN).double()
    alone.load_state_dict({"weight": layer.weight.detach(), "bias": layer.bias.detach()})
    difference = (layer(x) - alone(norm(x))).abs()
    assert difference[:, :, 2:-2, 2:-2, 2:-2].max() < 1e-12
    assert bool(difference.max() < 1e-12) is pad_after_norm


def test_the_mean_of_scalars_does_not_leak_into_order_four(x: Tensor) -> None:
    layer = make(bias=False)
    constant = torch.ones_like(x)
    constant[:, 2:] = 0
    layer.eval()
    layer.norm.mean.fill_(1.0)
    interior = layer(constant)[:, :, 2:-2, 2:-2, 2:-2]
    assert interior.abs().max() < 1e-12


def test_training_and_evaluation_agree_when_the_averages_are_the_batch(x: Tensor) -> None:
    layer = make()
    layer.norm.momentum = 1.0
    trained = layer(x)
    with torch.no_grad():
        torch.testing.assert_close(layer.eval()(x), trained, rtol=0, atol=1e-12)


def test_the_state_is_the_same_whatever_was_computed(x: Tensor) -> None:
    layer = make().eval()
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    with torch.no_grad():
        layer(x)
    layer.train().eval()
    after = layer.state_dict()
    assert list(before) == list(after) == ["weight", "bias", "norm.mean", "norm.power"]
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_kept_kernel_follows_every_change(x: Tensor) -> None:
    layer = make().eval()

    @torch.no_grad()
    def fresh() -> Tensor:
        found: Tensor = layer.to_conv3d()(x)
        return found

    def same() -> None:
        with torch.no_grad():
            assert torch.equal(layer(x), fresh())

    same()
    with torch.no_grad():
        layer.weight.mul_(2)
    same()
    layer.load_state_dict({**layer.state_dict(), "weight": torch.randn_like(layer.weight)})
    same()
    layer.norm.power.fill_(3.0)
    same()
    layer.weight = nn.Parameter(torch.randn_like(layer.weight))
    same()
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    layer(x).square().mean().backward()
    optimizer.step()
    same()
    assert layer.float()(x.float()).dtype == torch.float32


def test_gradients_in_evaluation_are_those_of_the_weights(x: Tensor) -> None:
    layer = make().eval()
    with torch.no_grad():
        layer(x)
    layer(x).square().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.abs().max() > 0
    layer.requires_grad_(False)
    leaf = x.clone().requires_grad_()
    layer(leaf).sum().backward()
    assert leaf.grad is not None


def test_a_kernel_kept_in_inference_mode_serves_gradients_of_the_input(x: Tensor) -> None:
    layer = make().eval().requires_grad_(False)
    with torch.inference_mode():
        layer(x)
    leaf = x.clone().requires_grad_()
    layer(leaf).sum().backward()
    assert leaf.grad is not None


def test_copies_and_stored_layers_make_their_own_kernel(x: Tensor) -> None:
    layer = make().eval()
    with torch.no_grad():
        expected = layer(x)
        for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert torch.equal(other(x), expected)
            assert other.plan is layer.plan


def test_threads_share_a_layer_in_evaluation(x: Tensor) -> None:
    layer = make().eval()
    found: list[Tensor] = []

    def run() -> None:
        with torch.no_grad():
            found.append(layer(x))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(torch.equal(one, found[0]) for one in found)


@pytest.mark.parametrize("pad_after_norm", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
def test_the_exported_convolution_gives_the_same(
    x: Tensor, pad_after_norm: bool, stride: int
) -> None:
    layer = make(pad_after_norm=pad_after_norm, stride=stride)
    layer(x)
    with pytest.raises(InvalidSetting, match=r"call eval\(\) first"):
        layer.to_conv3d()
    with torch.no_grad():
        exported = layer.eval().to_conv3d()
        torch.testing.assert_close(exported(x), layer(x), rtol=0, atol=1e-12)


def test_weights_of_another_basis_are_refused() -> None:
    stored = io.BytesIO()
    torch.save(make().state_dict(), stored)
    stored.seek(0)
    other = SteerableConv3d(IN, OUT, 5, gates=4, bias=True, norm=FieldBatchNorm(IN))
    with pytest.raises(InvalidSetting, match=r"shells\(compromise\).*optimal\(tau 0.06"):
        other.load_state_dict(torch.load(stored, weights_only=True))


def test_white_input_gives_unit_variance(fields: Callable[..., Tensor]) -> None:
    layer = SteerableConv3d((4, 4, 4), (8, 8, 8), 5, padding=0).double()
    out = layer(fields(36, side=11)).detach()
    assert float(out.square().mean()) == pytest.approx(1.0, rel=0.2)


@pytest.mark.parametrize("sizes", [(1, 1), (3, 9), (2, 8)])
def test_small_grids_and_single_fields(
    sizes: tuple[int, int], fields: Callable[..., Tensor]
) -> None:
    size, side = sizes
    layer = SteerableConv3d((1,), (1,), size, padding=size // 2).double()
    assert layer(fields(1, side=side, batch=1)).isfinite().all()


def test_a_single_voxel_in_training_is_finite(fields: Callable[..., Tensor]) -> None:
    layer = make(padding=2)
    assert layer(fields(10, side=1, batch=1)).isfinite().all()


def test_an_empty_batch_gives_an_empty_output(fields: Callable[..., Tensor]) -> None:
    layer = make()
    before = layer.norm.mean.clone()
    assert layer(fields(10, batch=0)).shape == (0, layer.plan.rows, 9, 9, 9)
    assert torch.equal(layer.norm.mean, before)


def test_what_is_not_finite_leaves_the_averages_alone(x: Tensor) -> None:
    layer = make()
    layer(x)
    before = layer.norm.power.clone()
    x[0, 0, 0, 0, 0] = torch.nan
    assert not layer(x).isfinite().all()
    assert torch.equal(layer.norm.power, before)


def test_wrong_volumes_and_settings_are_refused(x: Tensor) -> None:
    layer = make()
    with pytest.raises(InvalidInput, match=r"fields \(2, 1, 1\) takes \[batch, 10, x, y, z\]"):
        layer(x[:, :9])
    with pytest.raises(InvalidInput, match="is smaller than"):
        make(padding=0)(x[..., :3])
    with pytest.raises(WrongType, match="float16"):
        layer(x.half())
    with pytest.raises(WrongType, match="int64"):
        layer(x.long())
    with pytest.raises(InvalidSetting, match="odd kernel size"):
        SteerableConv3d(IN, OUT, 4)
    with pytest.raises(InvalidSetting, match="entry 1 is -2"):
        SteerableConv3d((1, -2), OUT, 3)
    with pytest.raises(InvalidSetting, match="has no fields"):
        SteerableConv3d((0, 0), OUT, 3)
    with pytest.raises(InvalidSetting, match="entry 9 is above 8"):
        SteerableConv3d((1,) * 10, OUT, 3)
    with pytest.raises(InvalidSetting, match="norm of fields"):
        SteerableConv3d((3,), (1,), 3, norm=FieldBatchNorm((2,)))


def test_fields_that_no_kernel_reaches_are_named() -> None:
    with pytest.warns(BasisWarning, match=r"fields of order \[2, 3\]"):
        layer = SteerableConv3d((1,), (1, 1, 1, 1), 3)
    assert layer(torch.randn(1, 1, 5, 5, 5))[:, 4:].abs().max() == 0
    with pytest.raises(InvalidSetting, match="always zero"):
        SteerableConv3d((1,), (1, 1, 1, 1), 3, strict=True)


def test_orders_up_to_six(fields: Callable[..., Tensor]) -> None:
    layer = SteerableConv3d((1,) * 7, (1,) * 7, 5, basis=BasisSettings(tau=1.4)).double()
    assert layer(fields(49, side=5, batch=1)).isfinite().all()


def test_bfloat16_stays_near_single_precision() -> None:
    torch.manual_seed(0)
    layer = SteerableConv3d((4, 4, 4, 4), (4, 4, 4, 4), 5, norm=FieldBatchNorm((4, 4, 4, 4)))
    x = torch.randn(1, 64, 8, 8, 8)
    exact = layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        rough = layer(x)
    assert rough.dtype == torch.bfloat16
    assert layer.norm.power.dtype == torch.float32
    assert (rough.float() - exact).norm() < 4e-3 * exact.norm()


def test_the_same_seed_gives_the_same_weights() -> None:
    one, other = make(), make()
    assert torch.equal(one.weight, other.weight)
