"""The product with tabulated weights: against its oracle, in every derivative, and at its edges."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from intertwiner.compiled import CompileError, find_compiler, forget
from intertwiner.kernels import KernelFallback
from intertwiner_equivariant_conv.errors import InvalidInput, WrongType
from intertwiner_equivariant_conv.kernels import sort_edges
from intertwiner_equivariant_conv.kernels.compiled import product
from intertwiner_equivariant_conv.kernels.table import compiled, reference, table_product_scatter
from intertwiner_equivariant_conv.layers.paths import path_table
from intertwiner_equivariant_conv.layers.spherical_harmonics import spherical_harmonics

Case = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, int]


def compiler_is_here() -> bool:
    try:
        find_compiler()
    except CompileError:
        return False
    return True


needs_compiler = pytest.mark.skipif(not compiler_is_here(), reason="no C++ compiler here")


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of 64 edges, so that small graphs have several."""
    monkeypatch.setattr(compiled, "CHUNK_BYTES", 1)


def make_case(
    lmax: int,
    channels: int = 3,
    nodes: int = 5,
    edges: int = 14,
    dtype: torch.dtype = torch.float64,
    degree: int = 5,
    parity: bool = True,
    rows: int = 6,
) -> Case:
    source, target = torch.randint(0, nodes, (2, edges)) if edges else torch.zeros(2, 0).long()
    source, target, _ = sort_edges(source, target)
    direction = torch.nn.functional.normalize(torch.randn(edges, 3, dtype=torch.float64))
    harmonics = spherical_harmonics(direction, lmax).to(dtype)
    features = torch.randn(nodes, (lmax + 1) ** 2, channels, dtype=dtype)
    paths = len(path_table(lmax, lmax, parity))
    table = torch.randn(rows, degree + 1, paths * channels, dtype=dtype)
    powers = torch.rand(edges, 1, dtype=dtype) ** torch.arange(degree + 1)
    row = torch.randint(0, rows, (edges,))
    return features, harmonics, powers, table, row, source, target, nodes


def all_derivatives(function: Callable[..., Tensor], case: Case) -> list[Tensor]:
    """Value, first partials, and second partials along all directions at once and one by one."""
    generator = torch.Generator().manual_seed(3)
    tensors = [tensor.detach().clone().requires_grad_() for tensor in case[:4]]
    out = function(*tensors, *case[4:])

    def normal(like: Tensor) -> Tensor:
        drawn = torch.randn(like.shape, generator=generator, dtype=torch.float64)
        return drawn.to(like.dtype)

    cotangent = normal(out).requires_grad_()
    first = torch.autograd.grad(out, tensors, cotangent, create_graph=True)
    directions = [normal(gradient) for gradient in first]
    arguments = [*tensors, cotangent]
    found = [out, *first]
    found += torch.autograd.grad(first, arguments, directions, retain_graph=True)
    for gradient, direction in zip(first, directions, strict=True):
        second = torch.autograd.grad(
            gradient, arguments, direction, retain_graph=True, allow_unused=True
        )
        found += [torch.zeros(()).to(out) if t is None else t for t in second]
    return [tensor.detach() for tensor in found]


def largest_relative_error(found: list[Tensor], expected: list[Tensor]) -> float:
    assert len(found) == len(expected) == 30
    return max(
        float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-30))
        for ours, theirs in zip(found, expected, strict=True)
        if ours.numel()
    )


@needs_compiler
@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("lmax", [0, 1, 2])
@pytest.mark.parametrize("channels", [1, 17])
@pytest.mark.parametrize("degree", [3, 5])
def test_value_and_two_derivatives_equal_the_oracle(lmax: int, channels: int, degree: int) -> None:
    case = make_case(lmax, channels, nodes=7, edges=150, degree=degree)
    found, expected = (
        all_derivatives(kernel.table_product_scatter, case) for kernel in (compiled, reference)
    )
    assert largest_relative_error(found, expected) < 1e-12


@needs_compiler
def test_paths_without_parity_are_right_too() -> None:
    case = make_case(1, 4, parity=False)
    found, expected = (
        all_derivatives(kernel.table_product_scatter, case) for kernel in (compiled, reference)
    )
    assert largest_relative_error(found, expected) < 1e-12


@needs_compiler
@pytest.mark.parametrize("lmax", [1, 2])
def test_single_precision_equals_the_oracle_to_rounding(lmax: int) -> None:
    case = make_case(lmax, 16, nodes=20, edges=300, dtype=torch.float32)
    doubled: Any = tuple(
        item.double() if isinstance(item, Tensor) and item.is_floating_point() else item
        for item in case
    )
    expected = all_derivatives(reference.table_product_scatter, doubled)
    found = all_derivatives(compiled.table_product_scatter, case)
    assert largest_relative_error([t.double() for t in found], expected) < 5e-6


@needs_compiler
@pytest.mark.parametrize("wanted", list(itertools.product([True, False], repeat=4))[:-1])
def test_gradients_hold_for_every_subset_of_arguments(wanted: tuple[bool, ...]) -> None:
    case = make_case(1, 1, nodes=3, edges=4, degree=3, rows=3)
    arguments = [t.detach().requires_grad_(w) for t, w in zip(case[:4], wanted, strict=True)]

    def run(*tensors: Tensor) -> Tensor:
        return compiled.table_product_scatter(*tensors, *case[4:])

    for check in (torch.autograd.gradcheck, torch.autograd.gradgradcheck):
        assert check(run, arguments, fast_mode=not all(wanted))


@needs_compiler
def test_third_derivative_equals_the_oracle() -> None:
    case = make_case(1, 2)

    def third(function: Callable[..., Tensor]) -> list[Tensor]:
        tensors = [tensor.detach().clone().requires_grad_() for tensor in case[:4]]
        value = function(*tensors, *case[4:]).pow(3).sum()
        for _ in range(2):
            parts = torch.autograd.grad(value, tensors, create_graph=True)
            value = sum((part.pow(2).sum() for part in parts), torch.zeros(()))
        return list(torch.autograd.grad(value, tensors))

    found, expected = (third(k.table_product_scatter) for k in (compiled, reference))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=0)


@needs_compiler
@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("channels", [16, 48])
def test_runs_and_threads_give_the_same_bits(channels: int) -> None:
    """One register of channels, and three: threads share nodes, channels, or nodes again."""
    case = make_case(2, channels, nodes=30, edges=900, dtype=torch.float32)
    before, found = torch.get_num_threads(), []
    for threads in (1, 1, 2, 3, 4, 8):
        torch.set_num_threads(threads)
        found.append(all_derivatives(compiled.table_product_scatter, case))
    torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


@needs_compiler
@pytest.mark.parametrize(("nodes", "edges"), [(1, 0), (3, 0), (1, 1), (9, 2), (0, 0)])
def test_degenerate_sizes_are_defined(nodes: int, edges: int) -> None:
    case = make_case(1, 16, nodes=nodes, edges=edges)
    found, expected = (
        all_derivatives(kernel.table_product_scatter, case) for kernel in (compiled, reference)
    )
    assert found[0].shape == (nodes, 8, 16)
    assert largest_relative_error(found, expected) < 1e-12


@needs_compiler
@pytest.mark.usefixtures("small_chunks")
def test_a_star_larger_than_a_chunk_is_summed_piece_by_piece() -> None:
    case = make_case(1, 16, nodes=6, edges=500)
    target = torch.cat([torch.zeros(10), torch.full((480,), 3.0), torch.full((10,), 5.0)]).long()
    star: Any = (*case[:6], target, case[7])
    found, expected = (
        all_derivatives(kernel.table_product_scatter, star) for kernel in (compiled, reference)
    )
    assert largest_relative_error(found, expected) < 1e-12


@needs_compiler
def test_tensors_that_are_not_contiguous_are_taken() -> None:
    case = make_case(1, 16)
    strided: Any = (*(tensor.mT.contiguous().mT for tensor in case[:4]), *case[4:])
    found = all_derivatives(compiled.table_product_scatter, strided)
    expected = all_derivatives(reference.table_product_scatter, case)
    assert largest_relative_error(found, expected) < 1e-12


@needs_compiler
def test_not_a_number_stays_with_the_nodes_it_reaches() -> None:
    case = make_case(1, 16)
    case[0][0] = float("nan")
    out = table_product_scatter(*case)
    reached = set(case[6][case[5] == 0].tolist())
    assert reached
    for node in range(case[7]):
        assert bool(out[node].isnan().any()) == (node in reached)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[bool]]]:
    """(function, which of its last arguments are given) of every call into the library."""
    seen: list[tuple[str, list[bool]]] = []
    run = compiled.call

    def spy(library: Any, name: str, *arguments: Any) -> None:
        seen.append((name, [argument is not None for argument in arguments]))
        run(library, name, *arguments)

    monkeypatch.setattr(compiled, "call", spy)
    return seen


@needs_compiler
def test_gradients_that_lead_nowhere_are_not_computed(
    calls: list[tuple[str, list[bool]]],
) -> None:
    case = make_case(1, 16)
    x, y, b, t = (tensor.detach().requires_grad_() * 1.0 for tensor in case[:4])
    out = compiled.table_product_scatter(x, y, b, t, *case[4:])
    (slope,) = torch.autograd.grad(out.square().sum(), b, create_graph=True)
    assert [given[-4:] for name, given in calls if name == "table_gradient"] == [
        [False, False, True, False]
    ]
    torch.autograd.grad(slope.square().sum(), t)
    assert calls[-1][0] == "table_second" or calls[-2][0] == "table_second"


class Sizes(torch.utils._python_dispatch.TorchDispatchMode):
    """Remembers the largest tensor that any operation makes."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        out = function(*args, **(kwargs or {}))
        for item in out if isinstance(out, tuple | list) else (out,):
            if isinstance(item, Tensor):
                self.largest = max(self.largest, item.numel())
        return out


def largest_tensor(function: Callable[..., Tensor], case: Case) -> int:
    with Sizes() as sizes:
        tensors = [tensor.detach().requires_grad_() for tensor in case[:4]]
        out = function(*tensors, *case[4:])
        first = torch.autograd.grad(out.sum(), tensors, create_graph=True)
        sum(part.square().sum() for part in first).backward()  # type: ignore[union-attr]
    return sizes.largest


@needs_compiler
def test_no_tensor_of_edges_times_weights_is_made() -> None:
    case = make_case(1, 16, nodes=20, edges=1000, dtype=torch.float32)
    weights = len(case[1]) * case[3].shape[2]
    assert largest_tensor(compiled.table_product_scatter, case) < weights / 2
    assert largest_tensor(reference.table_product_scatter, case) >= weights


def test_without_a_compiler_the_reference_serves_after_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    product.load_library.cache_clear()
    compiled.load_library.cache_clear()
    forget()
    monkeypatch.setenv("CXX", "/nowhere/c++")
    case = make_case(1, 5, dtype=torch.float64, degree=3)
    try:
        with pytest.warns(KernelFallback, match="no C\\+\\+ compiler found"):
            found = compiled.table_product_scatter(*case)
    finally:
        forget()
        product.load_library.cache_clear()
        compiled.load_library.cache_clear()
    torch.testing.assert_close(found, reference.table_product_scatter(*case))


@pytest.mark.parametrize(
    ("slot", "change", "error", "text"),
    [
        (4, lambda t: t + 6, InvalidInput, "row [6-9]|row 1[01] of an edge is outside"),
        (4, lambda t: t - 6, InvalidInput, "row -[1-6] of an edge is outside the table's 6"),
        (4, lambda t: t.int(), InvalidInput, "use int64"),
        (2, lambda t: t[:, :4], InvalidInput, "expected \\[edges, n\\] and"),
        (2, lambda t: t[1:], InvalidInput, "lengths .*13"),
        (3, lambda t: t.float(), WrongType, "use one"),
        (3, lambda t: t[..., 1:], InvalidInput, "expected 12 for 4 paths"),
        (6, lambda t: t.flip(0), InvalidInput, "not sorted by target"),
    ],
)
def test_bad_input_is_named(
    slot: int, change: Callable[[Tensor], Tensor], error: type[Exception], text: str
) -> None:
    case: list[Any] = list(make_case(1))
    case[slot] = change(case[slot])
    with pytest.raises(error, match=text):
        table_product_scatter(*case)


def test_half_precision_is_refused_with_a_hint() -> None:
    case = make_case(1)
    with pytest.raises(WrongType, match="float16 is not supported: use float32"):
        table_product_scatter(*(tensor.half() for tensor in case[:4]), *case[4:])


@needs_compiler
def test_examples_run_in_every_dtype() -> None:
    for dtype in (torch.float32, torch.float64):
        examples = reference.examples(dtype, torch.device("cpu"), torch.Generator().manual_seed(0))
        assert len(examples) >= 8
        for example in examples[:4]:
            ours, oracle = (k.table_product_scatter(*example) for k in (compiled, reference))
            torch.testing.assert_close(ours, oracle, rtol=1e-4, atol=1e-4)
