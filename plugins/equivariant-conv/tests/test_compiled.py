"""The operation in C++: against e3nn and the oracle, in every derivative, bit by bit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
import torch
from e3nn import o3
from torch import Tensor

from intertwiner.kernels import dispatch
from intertwiner_equivariant_conv.errors import InvalidInput
from intertwiner_equivariant_conv.kernels import OPERATION, reference, sort_edges
from intertwiner_equivariant_conv.kernels.compiled import memory, product
from intertwiner_equivariant_conv.kernels.compiled.graph import graph_of
from intertwiner_equivariant_conv.layers.paths import path_table

pytestmark = pytest.mark.usefixtures("double_default")

Case = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, int]
compiled = product.tensor_product_scatter


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def make_case(
    lmax: int,
    channels: int = 3,
    nodes: int = 6,
    edges: int = 40,
    dtype: torch.dtype = torch.float64,
    parity: bool = True,
    lmax_in: int | None = None,
) -> Case:
    lowest = lmax if lmax_in is None else lmax_in
    ends = torch.randint(0, nodes, (2, edges)) if edges else torch.zeros(2, 0).long()
    source, target, _ = sort_edges(*ends)
    table = path_table(lowest, lmax, parity)
    features = torch.randn(nodes, (lowest + 1) ** 2, channels, dtype=dtype)
    weights = torch.randn(edges, len(table) * channels, dtype=dtype)
    return (
        features,
        torch.randn(edges, (lmax + 1) ** 2, dtype=dtype),
        weights,
        source,
        target,
        nodes,
    )


def with_e3nn(
    x: Tensor, y: Tensor, w: Tensor, source: Tensor, target: Tensor, nodes: int
) -> Tensor:
    channels, lowest, lmax = x.shape[2], int(x.shape[1] ** 0.5) - 1, int(y.shape[1] ** 0.5) - 1
    parity = w.shape[1] == channels * len(path_table(lowest, lmax))
    table = path_table(lowest, lmax, parity)
    sign = -1 if parity else 1
    inputs = [(channels, (order, sign**order)) for order in range(lowest + 1)]
    filters = [(1, (order, sign**order)) for order in range(lmax + 1)]
    product = o3.TensorProduct(
        inputs,
        filters,
        [(channels, (path.l3, sign ** (path.l1 + path.l2))) for path in table.paths],
        [(p.l1, p.l2, number, "uvu", True) for number, p in enumerate(table.paths)],
        shared_weights=False,
        internal_weights=False,
    ).to(x.dtype)
    flat = torch.cat([x[:, o * o : (o + 1) ** 2].mT.flatten(1) for o in range(lowest + 1)], 1)
    parts = product(flat[source], y, w).split(
        [channels * (2 * path.l3 + 1) for path in table.paths], 1
    )
    rows = torch.cat([part.view(len(y), channels, -1).mT for part in parts], 1)
    return x.new_zeros(nodes, table.rows_out, channels).index_add(0, target, rows)


def derivatives(function: Callable[..., Tensor], case: Case) -> list[list[Tensor]]:
    """Value, first partials, second partials: of <g, F>, then of <first, random>."""
    generator = torch.Generator().manual_seed(3)

    def noise(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=generator, dtype=torch.float64).to(like.dtype)

    x, y, w = (tensor.detach().clone().requires_grad_() for tensor in case[:3])
    out = function(x, y, w, *case[3:])
    cotangent = noise(out).requires_grad_()
    first = torch.autograd.grad((out * cotangent).sum(), (x, y, w), create_graph=True)
    along = sum((value * noise(value)).sum() for value in first)
    second = torch.autograd.grad(along, (x, y, w, cotangent))
    return [[out.detach()], [value.detach() for value in first], list(second)]


def errors(found: list[list[Tensor]], expected: list[list[Tensor]]) -> list[float]:
    """Largest error of every order relative to the largest value of each tensor."""
    return [
        max(
            float((ours - theirs).abs().max() / theirs.abs().max())
            for ours, theirs in zip(*pair, strict=True)
        )
        for pair in zip(found, expected, strict=True)
    ]


TABLES = [
    *(pytest.param(lmax, lmax, True, id=f"lmax {lmax}") for lmax in range(4)),
    *(pytest.param(lmax - 1, lmax, True, id=f"lmax {lmax} from {lmax - 1}") for lmax in (1, 2, 3)),
    pytest.param(0, 2, True, id="lmax 2 from 0"),
    pytest.param(2, 1, True, id="lmax 1 from 2"),
    *(pytest.param(lmax, lmax, False, id=f"lmax {lmax} without parity") for lmax in (1, 2)),
]


@pytest.mark.parametrize("channels", [1, 16, 17, 64])
@pytest.mark.parametrize(("lmax_in", "lmax", "parity"), TABLES)
def test_value_and_two_derivatives_equal_those_of_e3nn(
    lmax_in: int, lmax: int, parity: bool, channels: int
) -> None:
    case = make_case(lmax, channels, parity=parity, lmax_in=lmax_in)
    oracle = derivatives(with_e3nn, case)
    assert max(errors(derivatives(compiled, case), oracle)) < 1e-12


@pytest.mark.parametrize("channels", [1, 17, 64])
@pytest.mark.parametrize("lmax", [0, 1, 2, 3])
def test_single_precision_equals_e3nn_to_rounding(lmax: int, channels: int) -> None:
    case = make_case(lmax, channels, nodes=12, edges=200, dtype=torch.float32)
    wide = tuple(part.double() for part in case[:3])
    oracle = derivatives(with_e3nn, (*wide, *case[3:]))
    value, first, second = errors(derivatives(compiled, case), oracle)
    assert value < 2e-6
    assert max(first, second) < 5e-6


@pytest.mark.parametrize("wanted", list(itertools.product([True, False], repeat=3))[:-1])
def test_gradients_hold_for_every_subset_of_arguments(wanted: tuple[bool, bool, bool]) -> None:
    case = make_case(1, 2, nodes=3, edges=4)
    arguments = [t.detach().requires_grad_(w) for t, w in zip(case[:3], wanted, strict=True)]

    def run(*tensors: Tensor) -> Tensor:
        return compiled(*tensors, *case[3:])

    assert torch.autograd.gradcheck(run, arguments)
    assert torch.autograd.gradgradcheck(run, arguments)


@pytest.mark.parametrize("given", list(itertools.product([True, False], repeat=3))[:-1])
def test_second_derivative_holds_for_every_subset_of_cotangents(
    given: tuple[bool, bool, bool],
) -> None:
    case = make_case(2, 4)

    def second(kernel: Callable[..., Tensor]) -> list[Tensor]:
        leaves = [tensor.detach().clone().requires_grad_() for tensor in case[:3]]
        value = kernel(*leaves, *case[3:]).square().sum()
        first = torch.autograd.grad(value, leaves, create_graph=True)
        chosen = [slope for slope, use in zip(first, given, strict=True) if use]
        return list(torch.autograd.grad(sum(slope.sin().sum() for slope in chosen), leaves))

    for ours, theirs in zip(second(compiled), second(with_e3nn), strict=True):
        assert float((ours - theirs).abs().max()) < 1e-12 * float(theirs.abs().max())


def test_third_derivative_equals_the_oracle() -> None:
    case = make_case(1, 2)

    def third(kernel: Callable[..., Tensor]) -> Tensor:
        x, y, w = (tensor.detach().clone().requires_grad_() for tensor in case[:3])
        value = kernel(x, y, w, *case[3:]).pow(3).sum()
        (first,) = torch.autograd.grad(value, y, create_graph=True)
        (second,) = torch.autograd.grad(first.square().sum(), x, create_graph=True)
        return torch.autograd.grad(second.square().sum(), w)[0]

    oracle, ours = third(reference.tensor_product_scatter), third(compiled)
    assert float((ours - oracle).abs().max()) < 1e-12 * float(oracle.abs().max())


@pytest.mark.parametrize(("nodes", "edges"), [(1, 0), (4, 0), (1, 1), (3, 1), (0, 0), (1, 40)])
def test_small_graphs_are_defined(nodes: int, edges: int) -> None:
    case = make_case(1, 2, nodes=nodes, edges=edges)
    for ours, theirs in zip(
        derivatives(compiled, case),
        derivatives(reference.tensor_product_scatter, case),
        strict=True,
    ):
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


def test_star_of_500_repeated_edges_and_idle_nodes_equal_the_oracle() -> None:
    x, y, w, source, _, _ = make_case(2, 20, nodes=4, edges=500)
    case = (x, y, w, source, torch.full_like(source, 2), 5)
    oracle = derivatives(reference.tensor_product_scatter, case)
    found = derivatives(compiled, case)
    assert max(errors(found, oracle)) < 1e-12
    assert not found[0][0][[0, 1, 3, 4]].any()


@pytest.mark.parametrize("lmax", [1, 2, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_neither_runs_nor_threads_change_a_bit(
    lmax: int, dtype: torch.dtype, threads: Callable[[int], None]
) -> None:
    case = make_case(lmax, 32, nodes=40, edges=900, dtype=dtype)
    found = []
    for count in (1, 1, 2, 4, 9):
        threads(count)
        found.append([tensor for order in derivatives(compiled, case) for tensor in order])
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_weights_written_past_the_cache_have_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_case(2, 64, nodes=40, edges=900, dtype=torch.float32)
    found = derivatives(compiled, case)[1]
    monkeypatch.setattr(product, "STREAMED", 0)
    streamed = derivatives(compiled, case)[1]
    assert all(torch.equal(a, b) for a, b in zip(found, streamed, strict=True))


def test_not_a_number_stays_with_the_nodes_it_reaches() -> None:
    x, y, w, source, target, nodes = make_case(2, 17, nodes=30, edges=60)
    x[source[0]] = float("nan")
    out = compiled(x, y, w, source, target, nodes)
    reached = set(target[source == source[0]].tolist())
    assert 0 < len(reached) < nodes
    assert {n for n in range(nodes) if bool(out[n].isnan().any())} == reached


def test_denormal_numbers_survive_the_kernel() -> None:
    case = make_case(0, 16, edges=3, dtype=torch.float32)
    small = torch.full_like(case[2], 1e-40)
    out = compiled(torch.ones_like(case[0]), torch.ones_like(case[1]), small, *case[3:])
    assert float(out.max()) >= 1e-40 * 0.99
    assert float(torch.tensor(1e-40, dtype=torch.float32) * 1) > 0


def test_tensors_that_are_not_contiguous_are_taken() -> None:
    case = make_case(1, 16)
    strided = tuple(tensor.mT.contiguous().mT for tensor in case[:3])
    assert not strided[0].is_contiguous()
    assert errors([[compiled(*strided, *case[3:])]], [[with_e3nn(*case)]])[0] < 1e-12


def test_the_compiled_kernel_serves_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTERTWINER_KERNELS", raising=False)
    serves = dispatch(OPERATION, torch.device("cpu"), torch.float32)
    assert serves.__wrapped__ is compiled


def test_graphs_are_grouped_once_and_again_when_they_change() -> None:
    case = make_case(1)
    library = product.load_library(path_table(1, 1), torch.float64)
    assert library is not None
    edge_index = torch.stack([case[3], case[4]])

    def graph() -> object:
        return graph_of(library, edge_index[0], edge_index[1], 6, 6)

    first = graph()
    assert graph() is first
    edge_index[0, 0] = (edge_index[0, 0] + 1) % 6
    assert graph() is not first


@pytest.mark.parametrize("wrong", ["source", "target", "order"])
def test_edges_that_would_leave_the_memory_are_refused(wrong: str) -> None:
    x, y, w, source, target, nodes = make_case(1)
    source, target = source.clone(), target.clone()
    if wrong == "source":
        source[3] = 6
    elif wrong == "target":
        target[-1] = 6
    else:
        target = target.flip(0)
    with pytest.raises(InvalidInput, match="outside|smaller"):
        compiled(x, y, w, source, target, nodes)


def test_memory_of_a_large_result_is_lent_again_once_it_is_free() -> None:
    like = torch.zeros(1, dtype=torch.float32)
    first = memory.empty((memory.LARGE,), like).fill_(1.0)
    second = memory.empty((memory.LARGE,), like).fill_(2.0)
    address = first.data_ptr()
    assert address != second.data_ptr()
    view = first[5:]
    del first
    assert memory.empty((memory.LARGE,), like).data_ptr() != address
    assert float(view.sum()) == memory.LARGE - 5
    del view
    assert memory.empty((memory.LARGE,), like).data_ptr() == address
