"""The convolution as a plain module: symmetry, normalisation, and unused orders."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from e3nn import o3

from intertwiner_equivariant_conv import DepthwiseConvolution, spherical_harmonics
from intertwiner_equivariant_conv.errors import InvalidInput, InvalidSetting

pytestmark = pytest.mark.usefixtures("double_default")


def edges(nodes: int = 6) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(source, target, unit vectors) of all pairs."""
    pairs = [(s, t) for t in range(nodes) for s in range(nodes) if s != t]
    source, target = torch.tensor(pairs).T
    return (
        source,
        target,
        torch.nn.functional.normalize(torch.randn(len(pairs), 3, dtype=torch.float64)),
    )


def wigner(lmax: int, matrix: torch.Tensor, parity: bool = True) -> torch.Tensor:
    irreps = [(1, (order, (-1) ** order if parity else 1)) for order in range(lmax + 1)]
    return o3.Irreps(irreps).D_from_matrix(matrix)


@pytest.mark.parametrize("lmax", [0, 1, 2, 3])
@pytest.mark.parametrize("inverted", [False, True])
def test_commutes_with_rotation_and_inversion(
    lmax: int, inverted: bool, random_rotation: Callable[[], torch.Tensor]
) -> None:
    layer = DepthwiseConvolution(lmax, 4, extra_scalars=lmax).double()
    source, target, direction = edges()
    x = torch.randn(6, (lmax + 1) ** 2, 4, dtype=torch.float64)
    basis = torch.randn(len(source), 8, dtype=torch.float64)
    matrix = random_rotation() * (-1 if inverted else 1)

    def run(x: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
        return layer(x, spherical_harmonics(direction, lmax), basis, source, target)

    turn, rows = wigner(lmax, matrix), (lmax + 1) ** 2
    plain = run(x, direction)
    found = run(torch.einsum("ij,njc->nic", turn, x), direction @ matrix.T)
    expected = torch.cat([torch.einsum("ij,njc->nic", turn, plain[:, :rows]), plain[:, rows:]], 1)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)
    assert plain.shape == (6, rows + lmax, 4)


def test_without_parity_inversion_is_given_up() -> None:
    source, target, direction = edges()
    x = torch.randn(6, 4, 4, dtype=torch.float64)
    basis = torch.randn(len(source), 8, dtype=torch.float64)
    signs = torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64)[:, None]
    differences = []
    for parity in (True, False):
        layer = DepthwiseConvolution(1, 4, parity=parity).double()
        plain, mirrored = (
            layer(features, spherical_harmonics(vector, 1), basis, source, target)
            for features, vector in ((x, direction), (x * signs, -direction))
        )
        differences.append(float((mirrored - plain * signs).detach().abs().max()))
    assert differences[0] < 1e-12 < 1e-2 < differences[1]


def test_orders_declared_absent_change_nothing_when_they_are_zero() -> None:
    full = DepthwiseConvolution(2, 4, extra_scalars=2).double()
    short = DepthwiseConvolution(2, 4, extra_scalars=2, lmax_in=0).double()
    short.self_mix["0"].data = full.self_mix["0"].data
    for mine, theirs in zip(short.radial.weights, full.radial.weights, strict=True):
        mine.data = theirs.data[:, : mine.shape[1]]
    for order, mix in short.mix.items():
        mix.data = full.mix[order].data[: len(mix)]
    source, target, direction = edges()
    harmonics = spherical_harmonics(direction, 2)
    basis = torch.randn(len(source), 8, dtype=torch.float64)
    x = torch.zeros(6, 9, 4, dtype=torch.float64)
    x[:, 0] = torch.randn(6, 4, dtype=torch.float64)
    expected = full(x, harmonics, basis, source, target)
    found = short(x, harmonics, basis, source, target)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_orders_not_wanted_are_left_out_and_the_others_the_same() -> None:
    full = DepthwiseConvolution(2, 4).double()
    some = DepthwiseConvolution(2, 4, orders_out=(0, 2)).double()
    some.load_state_dict(full.state_dict(), strict=False)
    source, target, direction = edges()
    harmonics = spherical_harmonics(direction, 2)
    basis, x = torch.randn(len(source), 8), torch.randn(6, 9, 4)
    expected = full(x, harmonics, basis, source, target)[:, [0, 4, 5, 6, 7, 8]]
    found = some(x, harmonics, basis, source, target)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    assert set(some.mix) == {"0", "2"}


def test_a_table_that_could_be_mistaken_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="as many paths as lmax_in 1, lmax 3"):
        DepthwiseConvolution(3, 2, lmax_in=1, orders_out=(0, 1, 2), parity=False)


def test_output_keeps_unit_size_at_the_start() -> None:
    layer = DepthwiseConvolution(1, 64).double()
    source, target, direction = edges(12)
    layer.average_neighbors.fill_(11.0)
    x = torch.randn(12, 4, 64, dtype=torch.float64)
    basis = torch.randn(len(source), 8, dtype=torch.float64)
    out = layer(x, spherical_harmonics(direction, 1), basis, source, target)
    assert 0.5 < float(out.detach().square().mean()) < 2.0


def test_an_isolated_atom_gets_its_own_term_alone() -> None:
    layer = DepthwiseConvolution(1, 4).double()
    x = torch.randn(1, 4, 4, dtype=torch.float64)
    nothing = torch.zeros(0, dtype=torch.long)
    out = layer(x, torch.zeros(0, 4).double(), torch.zeros(0, 8).double(), nothing, nothing)
    torch.testing.assert_close(out[:, :1], x[:, :1] @ layer.self_mix["0"] * 0.5**0.5)


def test_features_of_another_shape_are_refused() -> None:
    layer, nothing = DepthwiseConvolution(1, 4), torch.zeros(0, dtype=torch.long)
    with pytest.raises(InvalidInput, match=r"features \[2, 9, 4\]: expected \[nodes, 4, 4\]"):
        layer(torch.zeros(2, 9, 4), torch.zeros(0, 4), torch.zeros(0, 8), nothing, nothing)
