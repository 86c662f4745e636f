"""All kernels agree on random graphs, and derivatives are derivatives."""

from __future__ import annotations

import itertools

import pytest
import torch

from intertwiner.conformance.checks.kernels import kernel
from intertwiner_gauge_mesh._plugin import intertwiner_kernels
from intertwiner_gauge_mesh.errors import InvalidInput, WrongType
from intertwiner_gauge_mesh.kernels import bmm, gauge_aggregate, reference
from intertwiner_gauge_mesh.kernels.compiled import operation as compiled
from intertwiner_gauge_mesh.kernels.random_graph import random_arguments

KERNELS = {"bmm": bmm.gauge_aggregate, "compiled": compiled.gauge_aggregate}
CPU = torch.device("cpu")
TYPES = ["3x0", "2x0+1x1", "0x0+2x1", "5x0+1x1+3x2", "1x0+2x2+1x3", "2x0+1x1+1x2+2x3+3x4"]
CASES = [
    (kind_in, kind_out, rings)
    for (kind_in, kind_out), rings in zip(
        itertools.product(TYPES, TYPES), itertools.cycle((1, 2, 3, 5)), strict=False
    )
]


def arguments(kind_in, kind_out, rings, *, seed=0, dtype=torch.float64, **settings):
    generator = torch.Generator().manual_seed(seed)
    return random_arguments(kind_in, kind_out, rings, dtype, CPU, generator, **settings)


def gradients(run, given, cotangent):
    leaves = [item.detach().requires_grad_() for item in given[:4] if item is not None]
    out = run(*leaves, *[None] * (4 - len(leaves)), *given[4:])
    return out.detach(), torch.autograd.grad(out, leaves, cotangent)


def error(seen, expected):
    return float((seen - expected).abs().max() / expected.abs().max().clamp(min=1e-300))


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize(("kind_in", "kind_out", "rings"), CASES)
def test_values_and_gradients_are_those_of_the_definition(name, kind_in, kind_out, rings):
    given = arguments(kind_in, kind_out, rings, vertices=12, highest_degree=70)
    cotangent = torch.randn(12, given[6].width, dtype=torch.float64)
    expected = gradients(reference.gauge_aggregate, given, cotangent)
    seen = gradients(KERNELS[name], given, cotangent)
    assert error(seen[0], expected[0]) < 1e-12
    for one, other in zip(seen[1], expected[1], strict=True):
        if other.numel():
            assert error(one, other) < 1e-12


@pytest.mark.parametrize("name", KERNELS)
def test_single_precision_is_as_good_as_that_of_the_definition(name):
    given = arguments("16x0+16x1+16x2", "16x0+16x1+16x2", 2, dtype=torch.float32, vertices=80)
    cotangent = torch.randn(80, 80)
    wide = [item.double() if isinstance(item, torch.Tensor) else item for item in given]
    expected = gradients(reference.gauge_aggregate, wide, cotangent.double())
    seen = gradients(KERNELS[name], given, cotangent)
    assert error(seen[0].double(), expected[0]) < 1e-5
    for one, other in zip(seen[1], expected[1], strict=True):
        assert error(one.double(), other) < 1e-5


@pytest.mark.parametrize("spec", list(intertwiner_kernels()), ids=lambda spec: spec.name)
def test_registered_kernels_pass_the_kit(spec):
    if spec.device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device is here")
    assert kernel(spec) == []


@pytest.mark.parametrize("name", ["reference", *KERNELS])
def test_first_and_second_derivatives_are_those_of_differences(name):
    run = {"reference": reference.gauge_aggregate, **KERNELS}[name]
    given = arguments("1x0+1x1", "1x0+1x1", 2, vertices=4, highest_degree=3)
    leaves = tuple(item.requires_grad_() for item in given[:4])
    assert torch.autograd.gradcheck(lambda *x: run(*x, *given[4:]), leaves)
    assert torch.autograd.gradgradcheck(lambda *x: run(*x, *given[4:]), leaves)


def test_the_gradient_of_features_is_the_map_of_the_reversed_graph():
    x, weight, _, _, graph, kind_in, kind_out = arguments("2x0+1x1", "1x0+2x1", 2)
    g = torch.randn(graph.vertices, kind_out.width, dtype=torch.float64)
    x.requires_grad_()
    out = gauge_aggregate(x, weight, None, None, graph, kind_in, kind_out)
    (slope,) = torch.autograd.grad(out, x, g)
    back = reference.gauge_aggregate(
        g, weight.transpose(1, 2), None, None, graph.reversed(), kind_out, kind_in
    )
    assert error(slope, back) < 1e-12


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("vertices", [0, 1, 2, 3])
def test_small_and_empty_graphs_are_served(name, vertices):
    given = arguments("2x0+1x1", "1x0+1x2", 2, vertices=vertices, highest_degree=min(vertices, 2))
    out = KERNELS[name](*given)
    assert out.shape == (vertices, 3)
    assert torch.allclose(out, reference.gauge_aggregate(*given), atol=1e-13)


@pytest.mark.parametrize("name", KERNELS)
def test_runs_give_the_same_bits(name):
    given = arguments("16x0+16x1", "16x0+16x1", 2, dtype=torch.float32, vertices=150)
    cotangent = torch.randn(150, 48)
    one, two = (gradients(KERNELS[name], given, cotangent) for _ in range(2))
    assert torch.equal(one[0], two[0])
    assert all(torch.equal(a, b) for a, b in zip(one[1], two[1], strict=True))


def test_several_dtypes_are_refused():
    given = list(arguments("1x0", "1x0", 1))
    given[1] = given[1].float()
    with pytest.raises(WrongType, match="of several kinds"):
        gauge_aggregate(*given)


def test_features_of_another_mesh_are_refused():
    given = list(arguments("1x0", "1x0", 1))
    given[0] = given[0][:-1]
    with pytest.raises(InvalidInput, match="the plan has 23 vertices"):
        gauge_aggregate(*given)
