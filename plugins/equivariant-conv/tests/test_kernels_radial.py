"""The compiled table and places: against plain torch, in every derivative, and at the edges."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from intertwiner.compiled import forget
from intertwiner.kernels import KernelFallback
from intertwiner_equivariant_conv import RadialBasis, RadialNetwork
from intertwiner_equivariant_conv.kernels import radial
from intertwiner_equivariant_conv.layers.radial_table import Placement, build_table, place

CPU = torch.device("cpu")
CUTOFF = 4.0
needs_compiler = pytest.mark.skipif(
    radial.load_library(CPU, torch.float64) is None, reason="no C++ compiler here"
)


@contextlib.contextmanager
def plain_torch() -> Iterator[None]:
    """Where nothing compiled serves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERTWINER_KERNELS", "reference")
        yield


def table_and_gradients(
    network: RadialNetwork, basis: RadialBasis, degree: int, occupied: Tensor | None
) -> list[Tensor]:
    """The table on 12 knots, and the gradients of a fixed weighting of it."""
    table = build_table(network, basis, 12, degree, occupied)
    generator = torch.Generator().manual_seed(1)
    direction = torch.randn(table.shape, generator=generator, dtype=torch.float64).to(table)
    return [table.detach(), *torch.autograd.grad(table, list(network.parameters()), direction)]


def largest_relative_error(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    return max(
        float((a.double() - b.double()).abs().max() / b.double().abs().max().clamp(min=1e-30))
        for a, b in zip(found, expected, strict=True)
        if a.numel()
    )


@needs_compiler
@pytest.mark.parametrize("hidden", [(), (1,), (5, 9), (8, 16, 33)])
@pytest.mark.parametrize("outputs", [1, 16, 37])
@pytest.mark.parametrize("degree", [3, 5])
def test_table_and_gradients_equal_plain_torch(
    hidden: tuple[int, ...], outputs: int, degree: int
) -> None:
    network, basis = RadialNetwork(3, hidden, outputs).double(), RadialBasis(3, CUTOFF).double()
    basis.set_scale(0.3)
    for occupied in (None, torch.tensor([0, 1, 4, 6, 7, 10])):
        found = table_and_gradients(network, basis, degree, occupied)
        with plain_torch():
            expected = table_and_gradients(network, basis, degree, occupied)
        assert largest_relative_error(found, expected) < 1e-12


@needs_compiler
def test_single_precision_rounds_once() -> None:
    network, basis = RadialNetwork(8, (64, 64), 128), RadialBasis(8, CUTOFF)
    found = table_and_gradients(network, basis, 5, None)
    with plain_torch():
        expected = table_and_gradients(network.double(), basis.double(), 5, None)
    assert all(tensor.dtype == torch.float32 for tensor in found)
    assert largest_relative_error(found, expected) < 2e-6


@needs_compiler
def test_saturated_layers_give_no_wrong_number() -> None:
    network, basis = RadialNetwork(4, (6,), 3).double(), RadialBasis(4, CUTOFF).double()
    with torch.no_grad():
        network.weights[0].mul_(1e4)
    found = table_and_gradients(network, basis, 5, None)
    with plain_torch():
        expected = table_and_gradients(network, basis, 5, None)
    assert largest_relative_error(found, expected) < 1e-10
    with torch.no_grad():
        network.weights[0][0, 0] = float("nan")
    assert build_table(network, basis, 12)[:-1].isnan().any()


@needs_compiler
def test_second_derivatives_are_those_of_plain_torch() -> None:
    network, basis = RadialNetwork(3, (4, 5), 2).double(), RadialBasis(3, CUTOFF).double()
    weights = list(network.parameters())

    def curvature() -> list[Tensor]:
        first = torch.autograd.grad(
            build_table(network, basis, 7).pow(3).sum(), weights, create_graph=True
        )
        return list(torch.autograd.grad(sum(part.square().sum() for part in first), weights))

    found = curvature()
    with plain_torch():
        expected = curvature()
    assert largest_relative_error(found, expected) < 1e-10


@needs_compiler
def test_threads_and_runs_give_the_same_bits() -> None:
    network, basis = RadialNetwork(8, (64, 64), 44), RadialBasis(8, CUTOFF)
    before, found = torch.get_num_threads(), []
    for threads in (1, 1, 2, 5):
        torch.set_num_threads(threads)
        found.append(table_and_gradients(network, basis, 5, None))
    torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def both_places(r: Tensor, compact: bool) -> tuple[Placement, Placement]:
    found = place(r, CUTOFF, 16, 5, compact=compact)
    with plain_torch():
        return found, place(r, CUTOFF, 16, 5, compact=compact)


@needs_compiler
@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0.0, 6.0, width=32), max_size=20),
    st.sampled_from([torch.float32, torch.float64]),
    st.booleans(),
)
def test_places_are_those_of_plain_torch(
    distances: list[float], dtype: torch.dtype, compact: bool
) -> None:
    found, expected = both_places(torch.tensor(distances, dtype=dtype), compact)
    assert torch.equal(found.row, expected.row)
    assert torch.equal(found.occupied, expected.occupied)
    torch.testing.assert_close(found.powers, expected.powers)


@needs_compiler
def test_places_are_differentiable_to_any_order() -> None:
    r = (torch.rand(6, dtype=torch.float64) * 3.9).requires_grad_()
    found, expected = both_places(r, True)
    for _ in range(4):
        values = [p if isinstance(p, Tensor) else p.powers for p in (found, expected)]
        found, expected = (  # type: ignore[assignment]
            torch.autograd.grad(value.pow(2).sum(), r, create_graph=True)[0] for value in values
        )
        torch.testing.assert_close(found, expected)


@needs_compiler
def test_a_distance_that_is_not_a_number_stays_inside_the_table() -> None:
    placed = place(torch.tensor([float("nan"), 1.0, -1.0, float("inf")]), CUTOFF, 16, 5)
    assert placed.powers[0, 1:].isnan().all()
    assert 0 <= int(placed.row.min()) <= int(placed.row.max()) <= len(placed.occupied)


def test_without_a_compiler_plain_torch_serves_after_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    radial._load.cache_clear()
    forget()
    monkeypatch.setenv("CXX", "/nowhere/c++")
    network, basis = RadialNetwork(3, (4,), 2), RadialBasis(3, CUTOFF)
    try:
        with pytest.warns(KernelFallback, match="no C\\+\\+ compiler found.*"):
            table = build_table(network, basis, 7)
    finally:
        forget()
        radial._load.cache_clear()
    with plain_torch():
        torch.testing.assert_close(table, build_table(network, basis, 7))
