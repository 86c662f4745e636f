"""The operation: against e3nn and its own oracle, in value and derivatives, and at its edges."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from e3nn import o3
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from intertwiner_equivariant_conv import tensor_product_scatter
from intertwiner_equivariant_conv.errors import InvalidInput, WrongType
from intertwiner_equivariant_conv.kernels import blocked, reference, sort_edges
from intertwiner_equivariant_conv.layers.coupling import coupling
from intertwiner_equivariant_conv.layers.paths import path_table
from intertwiner_equivariant_conv.layers.spherical_harmonics import spherical_harmonics

pytestmark = pytest.mark.usefixtures("double_default")

Case = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, int]
KERNELS = (reference.tensor_product_scatter, blocked.tensor_product_scatter)


def make_case(
    lmax: int,
    channels: int = 3,
    nodes: int = 5,
    edges: int = 14,
    dtype: torch.dtype = torch.float64,
    parity: bool = True,
) -> Case:
    source, target = torch.randint(0, nodes, (2, edges)) if edges else torch.zeros(2, 0).long()
    source, target, _ = sort_edges(source, target)
    direction = torch.nn.functional.normalize(torch.randn(edges, 3, dtype=dtype))
    rows, paths = (lmax + 1) ** 2, len(path_table(lmax, lmax, parity))
    features = torch.randn(nodes, rows, channels, dtype=dtype)
    weights = torch.randn(edges, paths * channels, dtype=dtype)
    return features, spherical_harmonics(direction, lmax), weights, source, target, nodes


def with_e3nn(
    x: Tensor, y: Tensor, w: Tensor, source: Tensor, target: Tensor, nodes: int
) -> Tensor:
    """The operation from e3nn's `TensorProduct`: its flat layout in, ours out."""
    channels, lmax = x.shape[2], int(x.shape[1] ** 0.5) - 1
    table = path_table(lmax, lmax)
    irreps = [(1, (order, (-1) ** order)) for order in range(lmax + 1)]
    product = o3.TensorProduct(
        [(channels, ir) for _, ir in irreps],
        irreps,
        [(channels, (path.l3, (-1) ** path.l3)) for path in table.paths],
        [(p.l1, p.l2, number, "uvu", True) for number, p in enumerate(table.paths)],
        shared_weights=False,
        internal_weights=False,
    ).to(x.dtype)
    orders = range(lmax + 1)
    flat = torch.cat([x[:, o * o : (o + 1) ** 2].mT.flatten(1) for o in orders], 1)
    message = product(flat[source], y, w)
    parts = message.split([channels * (2 * path.l3 + 1) for path in table.paths], 1)
    rows = [part.view(len(y), channels, -1).mT for part in parts]
    out = x.new_zeros(nodes, table.rows_out, channels)
    return out.index_add(0, target, torch.cat(rows, 1))


def all_derivatives(function: Callable[..., Tensor], case: Case) -> list[Tensor]:
    """Value, every first partial of <g, F>, and every second partial along random directions."""
    generator = torch.Generator().manual_seed(3)
    x, y, w = (tensor.detach().clone().requires_grad_() for tensor in case[:3])
    out = function(x, y, w, *case[3:])
    cotangent = torch.randn(out.shape, generator=generator, dtype=out.dtype).requires_grad_()
    first = torch.autograd.grad(out, (x, y, w), cotangent, create_graph=True)
    found = [out.detach(), *(tensor.detach() for tensor in first)]
    for gradient in first:
        direction = torch.randn(gradient.shape, generator=generator, dtype=gradient.dtype)
        second = torch.autograd.grad(
            gradient, (x, y, w, cotangent), direction, retain_graph=True, allow_unused=True
        )
        found += [t if t is not None else torch.zeros(()).to(out) for t in second]
    return found


def largest_relative_error(found: list[Tensor], expected: list[Tensor]) -> float:
    assert len(found) == len(expected) > 1
    errors = [
        float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-30))
        for ours, theirs in zip(found, expected, strict=True)
        if float(theirs.abs().max()) > 0 or float(ours.abs().max()) > 0
    ]
    assert len(errors) >= 4
    return max(errors)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("lmax", [0, 1, 2, 3])
@pytest.mark.parametrize("channels", [1, 17])
def test_value_and_two_derivatives_equal_those_of_e3nn(
    kernel: Callable[..., Tensor], lmax: int, channels: int
) -> None:
    case = make_case(lmax, channels)
    error = largest_relative_error(all_derivatives(kernel, case), all_derivatives(with_e3nn, case))
    assert error < 1e-12


@pytest.mark.parametrize("lmax", [0, 1, 2, 3])
def test_single_precision_equals_e3nn_to_rounding(lmax: int) -> None:
    case = make_case(lmax, 16, nodes=12, edges=100, dtype=torch.float32)
    found = all_derivatives(blocked.tensor_product_scatter, case)
    assert largest_relative_error(found, all_derivatives(with_e3nn, case)) < 5e-6


@pytest.mark.parametrize("parity", [True, False])
def test_kernels_agree_without_parity_too(parity: bool) -> None:
    case = make_case(2, 4, parity=parity)
    ours, oracle = (all_derivatives(kernel, case) for kernel in KERNELS[::-1])
    assert largest_relative_error(ours, oracle) < 1e-12


@pytest.mark.parametrize("wanted", list(itertools.product([True, False], repeat=3))[:-1])
def test_gradients_hold_for_every_subset_of_arguments(wanted: tuple[bool, bool, bool]) -> None:
    case = make_case(1, 2, nodes=3, edges=4)
    arguments = [t.detach().requires_grad_(w) for t, w in zip(case[:3], wanted, strict=True)]

    def run(*tensors: Tensor) -> Tensor:
        return blocked.tensor_product_scatter(*tensors, *case[3:])

    assert torch.autograd.gradcheck(run, arguments)
    assert torch.autograd.gradgradcheck(run, arguments)


def test_third_derivative_equals_the_oracle() -> None:
    case = make_case(1, 2)

    def third(kernel: Callable[..., Tensor]) -> Tensor:
        x, y, w = (tensor.detach().clone().requires_grad_() for tensor in case[:3])
        value = kernel(x, y, w, *case[3:]).pow(3).sum()
        (first,) = torch.autograd.grad(value, y, create_graph=True)
        (second,) = torch.autograd.grad(first.square().sum(), x, create_graph=True)
        return torch.autograd.grad(second.square().sum(), w)[0]

    oracle, ours = (third(kernel) for kernel in KERNELS)
    assert float((ours - oracle).abs().max()) < 1e-12 * float(oracle.abs().max())


def test_result_does_not_depend_on_the_size_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_case(2, 4, nodes=20, edges=300)
    whole = all_derivatives(blocked.tensor_product_scatter, case)
    monkeypatch.setattr(blocked, "BLOCK_NUMBERS", 1)
    assert (
        largest_relative_error(all_derivatives(blocked.tensor_product_scatter, case), whole) < 1e-12
    )


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("nodes", "edges"), [(1, 0), (4, 0), (1, 1), (3, 1), (0, 0)])
def test_small_graphs_are_defined(kernel: Callable[..., Tensor], nodes: int, edges: int) -> None:
    out = kernel(*make_case(1, 1, nodes=nodes, edges=edges))
    assert out.shape == (nodes, 8, 1)
    assert edges or not out.any()


def test_star_of_500_and_repeated_edges_add_up() -> None:
    x, y, w, source, _, _ = make_case(1, 2, nodes=4, edges=500)
    target = torch.zeros_like(source)
    out = tensor_product_scatter(x, y, w, source, target, 4)
    parts = [
        tensor_product_scatter(x, y[part], w[part], source[part], target[part], 4)
        for part in (slice(0, 200), slice(200, 500))
    ]
    torch.testing.assert_close(out, parts[0] + parts[1], rtol=0, atol=1e-10)
    assert not out[1:].any()


def test_every_run_gives_the_same_bits() -> None:
    case = make_case(2, 8, nodes=30, edges=900, dtype=torch.float32)
    first, second = (all_derivatives(blocked.tensor_product_scatter, case) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_number_of_threads_does_not_change_a_bit() -> None:
    case = make_case(2, 8, nodes=30, edges=900, dtype=torch.float32)
    before, found = torch.get_num_threads(), []
    for threads in (1, 2, 4):
        torch.set_num_threads(threads)
        found.append(all_derivatives(blocked.tensor_product_scatter, case))
    torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_tensors_that_are_not_contiguous_are_taken() -> None:
    case = make_case(1, 4)
    strided = [tensor.mT.contiguous().mT for tensor in case[:3]]
    assert not strided[0].is_contiguous()
    found = all_derivatives(lambda *a: blocked.tensor_product_scatter(*a), (*strided, *case[3:]))
    assert largest_relative_error(found, all_derivatives(with_e3nn, case)) < 1e-12


def test_not_a_number_stays_with_the_nodes_it_reaches() -> None:
    x, y, w, source, target, nodes = make_case(1)
    x[0] = float("nan")
    out = tensor_product_scatter(x, y, w, source, target, nodes)
    reached = set(target[source == 0].tolist())
    assert reached
    for node in range(nodes):
        assert bool(out[node].isnan().any()) == (node in reached)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2), st.integers(1, 6), st.integers(0, 40), st.randoms())
def test_order_of_edges_does_not_matter(lmax: int, nodes: int, edges: int, rng: Any) -> None:
    x, y, w, source, target, _ = make_case(lmax, 2, nodes, edges)
    shuffled = torch.tensor(rng.sample(range(edges), edges), dtype=torch.long)
    new_source, new_target, order = sort_edges(source[shuffled], target[shuffled])
    moved = shuffled[order]
    torch.testing.assert_close(
        tensor_product_scatter(x, y[moved], w[moved], new_source, new_target, nodes),
        tensor_product_scatter(x, y, w, source, target, nodes),
        rtol=0,
        atol=1e-12,
    )


def drop_constant(case: Case, found: Tensor) -> Tensor:
    constants, _ = coupling(path_table(1, 1), torch.float64, torch.device("cpu"))
    broken = constants.clone()
    broken[tuple(broken.nonzero()[-1])] = 0.0
    x, y, w, source, target, _ = case
    message = torch.bmm((y @ broken).view(-1, 8, 4), x[source])
    paths = torch.tensor([0, 1, 1, 1, 2, 2, 2, 3])
    message = message * w.view(len(y), 4, -1)[:, paths]
    return torch.zeros_like(found).index_add(0, target, message)


PLANTED: dict[str, Callable[[Case, Tensor], Tensor]] = {
    "one Clebsch-Gordan coefficient dropped": drop_constant,
    "source and target swapped": lambda c, _: reference.tensor_product_scatter(
        c[0], c[1], c[2], c[4], c[3], c[5]
    ),
    "sqrt(2 l + 1) forgotten": lambda _, out: torch.cat([out[:, :1], out[:, 1:] / 3**0.5], 1),
    "order 1 as (y, z, x)": lambda c, _: reference.tensor_product_scatter(
        c[0], c[1][:, [0, 2, 3, 1]], *c[2:]
    ),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_planted_bug_is_caught_by_parity(bug: str) -> None:
    case = make_case(1)
    right = with_e3nn(*case)
    wrong = PLANTED[bug](case, reference.tensor_product_scatter(*case))
    assert float((wrong - right).abs().max()) > 1e-2
    assert float((reference.tensor_product_scatter(*case) - right).abs().max()) < 1e-12


def replaced(case: Case, **changes: Any) -> Any:
    names = ("features", "harmonics", "weights", "source", "target", "nodes")
    return tuple(changes.get(name, value) for name, value in zip(names, case, strict=True))


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda c: {"target": c[4].flip(0)}, InvalidInput, "not sorted by target.*sort_edges"),
        (lambda c: {"source": c[3] + 5}, InvalidInput, "source [5-9] of an edge is outside the 5"),
        (lambda c: {"source": c[3] - 5}, InvalidInput, "source -[1-5] of an edge is outside"),
        (lambda c: {"source": c[3].int()}, InvalidInput, "use int64"),
        (lambda c: {"source": c[3][1:]}, InvalidInput, "lengths .*13"),
        (lambda c: {"weights": c[2][:, 1:]}, InvalidInput, "expected 12 for 4 paths"),
        (lambda c: {"features": c[0].float()}, WrongType, "use one for all"),
    ],
)
def test_bad_input_is_named(
    change: Callable[[Case], dict[str, Tensor]], error: type[Exception], text: str
) -> None:
    case = make_case(1)
    with pytest.raises(error, match=text):
        tensor_product_scatter(*replaced(case, **change(case)))


def test_half_precision_is_refused_with_a_hint() -> None:
    case = make_case(1)
    halves = [tensor.half() for tensor in case[:3]]
    with pytest.raises(WrongType, match="float16 is not supported: use float32"):
        tensor_product_scatter(*halves, *case[3:])


def test_examples_run_in_every_dtype() -> None:
    for dtype in (torch.float32, torch.float64):
        examples = reference.examples(dtype, torch.device("cpu"), torch.Generator().manual_seed(0))
        assert len(examples) >= 4
        for example in examples:
            ours, oracle = (kernel(*example) for kernel in KERNELS[::-1])
            torch.testing.assert_close(ours, oracle)
