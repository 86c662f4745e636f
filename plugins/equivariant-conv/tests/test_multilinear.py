"""Second derivatives in one pass against their composition, for every choice of arguments."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from intertwiner_equivariant_conv.kernels import blocked, multilinear
from intertwiner_equivariant_conv.kernels.reference import examples
from intertwiner_equivariant_conv.layers.paths import infer_paths

pytestmark = pytest.mark.usefixtures("double_default")

CHOICES = [list(chosen) for n in (1, 2, 3) for chosen in itertools.combinations(range(3), n)]
WITHOUT_EDGES = 3
composed = functools.partial(multilinear.run, blocked.PASSES._replace(second=None))


def second(
    function: Callable[..., Tensor], case: int, along: list[int], graph: bool = False
) -> list[Tensor]:
    """Derivatives of the chosen first derivatives, for all arguments and the cotangent."""
    generator = torch.Generator().manual_seed(0)
    given = examples(torch.float64, torch.device("cpu"), generator)[case]
    leaves = [tensor.clone().requires_grad_() for tensor in given[:3]]
    out = function(*leaves, *given[3:])
    leaves.append(torch.randn(out.shape, generator=generator).requires_grad_())
    first = torch.autograd.grad(out, leaves[:3], leaves[3], create_graph=True)
    chosen = [first[n] for n in along]
    directions = [torch.randn(part.shape, generator=generator) for part in chosen]
    return list(
        torch.autograd.grad(chosen, leaves, directions, create_graph=graph, materialize_grads=True)
    )


@pytest.mark.parametrize("case", range(4))
@pytest.mark.parametrize("along", CHOICES, ids=str)
def test_one_pass_equals_the_composition(along: list[int], case: int) -> None:
    ours = second(blocked.tensor_product_scatter, case, along)
    for found, expected in zip(ours, second(composed, case, along), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-11)
    assert case == WITHOUT_EDGES or any(bool(part.any()) for part in ours)


def test_a_graph_of_the_second_derivative_changes_no_value() -> None:
    plain, graphed = (
        second(blocked.tensor_product_scatter, 1, [0, 1, 2], graph) for graph in (False, True)
    )
    for found, expected in zip(plain, graphed, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("wanted", list(itertools.product([True, False], repeat=4))[:-1])
def test_only_what_is_wanted_is_made(wanted: tuple[bool, ...]) -> None:
    given = examples(torch.float64, torch.device("cpu"), torch.Generator().manual_seed(0))[1]
    x, y, w, source, target, nodes = given
    table = infer_paths(x.shape[1], y.shape[1], x.shape[2], w.shape[1])
    edges = multilinear.Edges(source, target, nodes, table)
    g = torch.randn(nodes, table.rows_out, x.shape[2])
    assert blocked.PASSES.second is not None
    found = blocked.PASSES.second(x, y, w, g, (x, y, w), edges, wanted)
    assert [part is not None for part in found] == list(wanted)
