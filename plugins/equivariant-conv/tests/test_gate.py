"""The gate: scalars through silu, vectors only scaled."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from e3nn import o3
from e3nn.nn import Activation

from intertwiner_equivariant_conv import Gate
from intertwiner_equivariant_conv.layers.gate import SIGMOID_SCALE
from intertwiner_equivariant_conv.layers.radial import SILU_SCALE

pytestmark = pytest.mark.usefixtures("double_default")


@pytest.mark.parametrize("lmax", [0, 1, 2, 3])
def test_gate_commutes_with_rotation(
    lmax: int, random_rotation: Callable[[], torch.Tensor]
) -> None:
    rows, gate = (lmax + 1) ** 2, Gate(range(lmax + 1))
    x = torch.randn(6, rows + lmax, 4, dtype=torch.float64)
    irreps = o3.Irreps([(1, (order, (-1) ** order)) for order in range(lmax + 1)])
    wigner = irreps.D_from_matrix(random_rotation())
    turned = torch.cat([torch.einsum("ij,njc->nic", wigner, x[:, :rows]), x[:, rows:]], 1)
    expected = torch.einsum("ij,njc->nic", wigner, gate(x))
    torch.testing.assert_close(gate(turned), expected, rtol=0, atol=1e-10)


def test_each_order_has_its_own_gate() -> None:
    x = torch.ones(1, 9 + 2, 1)
    x[0, 9:, 0] = torch.tensor([0.0, 3.0])
    out = Gate((0, 1, 2))(x)[0, :, 0]
    assert out[1:4].tolist() == pytest.approx([SIGMOID_SCALE / 2] * 3)
    assert out[4:].tolist() == pytest.approx([SIGMOID_SCALE / (1 + math.exp(-3.0))] * 5)


def test_constants_are_those_of_e3nn() -> None:
    silu, sigmoid = (
        Activation("1x0e", [function]).acts[0].cst
        for function in (torch.nn.functional.silu, torch.sigmoid)
    )
    assert (silu, sigmoid) == pytest.approx((SILU_SCALE, SIGMOID_SCALE), rel=1e-12)
