"""Nonlinearities: exact ones are exact, sampled ones as good as their samples."""

from __future__ import annotations

import math

import pytest
import torch

from intertwiner_gauge_mesh.errors import InvalidSetting
from intertwiner_gauge_mesh.kernels.rotation import rotate
from intertwiner_gauge_mesh.layers.gate import Gate
from intertwiner_gauge_mesh.layers.linear import GaugeLinear
from intertwiner_gauge_mesh.layers.nonlinearity import make_nonlinearity
from intertwiner_gauge_mesh.layers.norm import GaugeRMSNorm
from intertwiner_gauge_mesh.layers.product import Product, product_paths
from intertwiner_gauge_mesh.layers.sampled import SampledNonlinearity
from intertwiner_gauge_mesh.types import FeatureType

ROWS = 400


def unit_features(kind):
    return torch.randn(ROWS, FeatureType.parse(kind).width, dtype=torch.float64)


def frame_error(layer, kind, x):
    """Relative error of turning before against turning after."""
    angle = 2 * torch.pi * torch.rand(len(x), dtype=torch.float64)
    unit = torch.stack([angle.cos(), angle.sin()], 1)
    kind = FeatureType.parse(kind)
    with torch.no_grad():
        expected = rotate(layer(x), unit, kind)
        change = layer(rotate(x, unit, kind)) - expected
    return float(change.norm() / expected.norm())


TABLE = [
    ("relu", 2, 5, 0.32),
    ("relu", 2, 7, 0.090),
    ("relu", 2, 24, 6.5e-3),
    ("relu", 2, 101, 3.6e-4),
    ("gelu", 2, 7, 0.061),
    ("gelu", 2, 11, 8.1e-3),
    ("gelu", 2, 24, 1.9e-5),
    ("silu", 2, 7, 0.032),
    ("silu", 2, 11, 3.1e-3),
    ("silu", 2, 24, 3.6e-6),
    ("softplus", 2, 8, 4.1e-3),
    ("softplus", 2, 16, 2.3e-5),
    ("silu", 1, 7, 1.6e-3),
    ("silu", 3, 16, 2.6e-3),
    ("silu", 3, 24, 8.7e-5),
]


@pytest.mark.parametrize(("function", "order", "samples", "published"), TABLE)
def test_the_table_of_errors_is_reproduced(function, order, samples, published):
    kind = FeatureType.uniform(4, order)
    layer = SampledNonlinearity(kind, function, samples, quiet=True)
    seen = frame_error(layer, kind, unit_features(kind))
    assert published / 3 < seen < published * 2


@pytest.mark.parametrize("kind", ["4x0+4x1+4x2", "3x0+2x1+1x2", "2x0+2x1+2x2+2x3", "5x0"])
@pytest.mark.parametrize("name", ["quad", "gate", "product"])
def test_exact_ones_are_exact(name, kind):
    layer = make_nonlinearity(name, kind).double()
    assert frame_error(layer, kind, unit_features(kind)) < 1e-13


def test_many_samples_give_one_function():
    kind = FeatureType.uniform(3, 2)
    x = unit_features(kind)
    one, two = (SampledNonlinearity(kind, "silu", samples)(x) for samples in (101, 128))
    assert torch.allclose(one, two, atol=1e-12)


def test_the_released_scaling_depends_on_the_samples():
    kind = FeatureType.uniform(3, 2)
    x = unit_features(kind)
    one, two = (
        SampledNonlinearity(kind, "silu", samples, scaling="released")(x) for samples in (101, 201)
    )
    assert float((one - two).abs().max()) > 0.01


def test_unequal_multiplicities_are_those_of_the_larger_type_cut():
    small, large = FeatureType.parse("3x0+2x1+1x2"), FeatureType.uniform(3, 2)
    x = unit_features(small)
    wide = torch.zeros(ROWS, large.width, dtype=torch.float64)
    kept = [0, 1, 2, 3, 4, 6, 7, 9, 12]
    wide[:, kept] = x
    seen = SampledNonlinearity(small, "quad")(x)
    assert torch.allclose(seen, SampledNonlinearity(large, "quad")(wide)[:, kept])


@pytest.mark.parametrize(("function", "samples"), [("relu", 4), ("quad", 6)])
def test_too_few_samples_are_refused(function, samples):
    with pytest.raises(InvalidSetting, match=f"samples={samples}"):
        SampledNonlinearity("2x0+2x1+2x2", function, samples)


def test_few_samples_are_warned_of():
    with pytest.warns(UserWarning, match="depends on the frames"):
        SampledNonlinearity("2x0+2x1+2x2", "relu", 7)


def test_there_are_ten_products_up_to_order_two():
    assert len(product_paths(2)) == 10
    assert {(path.left, path.right, path.out) for path in product_paths(1)} == {
        (0, 0, 0),
        (0, 1, 1),
        (1, 0, 1),
        (1, 1, 0),
    }


def test_products_are_those_of_complex_numbers():
    layer = Product("1x0+1x1+1x2").double()
    with torch.no_grad():
        for matrix in [*layer.left.matrices, *layer.right.matrices]:
            matrix.fill_(1.0)
    x = unit_features("1x0+1x1+1x2")
    z = [
        x[:, 0].to(torch.complex128),
        torch.complex(x[:, 1], x[:, 2]),
        torch.complex(x[:, 3], x[:, 4]),
    ]
    first = 2 * z[0] * z[1] + 2 * (z[2] * z[1].conj())
    second = 2 * z[0] * z[2] + z[1] ** 2
    zeroth = (z[0] ** 2 + z[1].abs() ** 2 + z[2].abs() ** 2).real
    expected = torch.stack(
        [
            x[:, 0] + torch.nn.functional.silu(zeroth),
            *torch.view_as_real(z[1] + first).unbind(1),
            *torch.view_as_real(z[2] + second).unbind(1),
        ],
        1,
    )
    assert torch.allclose(layer(x), expected)


@pytest.mark.parametrize("name", ["quad", "gate", "product", "silu"])
def test_derivatives_are_those_of_differences(name):
    kind = "2x0+1x1+1x2"
    layer = make_nonlinearity(name, kind).double()
    x = torch.randn(3, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)
    assert torch.autograd.gradgradcheck(layer, x)


def test_gates_need_scalars():
    with pytest.raises(InvalidSetting, match="gates need scalars"):
        Gate("0x0+2x1")


def test_linear_maps_have_a_bias_on_scalars_alone():
    layer = GaugeLinear("2x0+1x1", "3x0+2x1+1x2").double()
    with torch.no_grad():
        layer.bias.fill_(1.0)
    out = layer(torch.zeros(2, 4, dtype=torch.float64))
    assert out[0].tolist() == [1.0] * 3 + [0.0] * 6
    kinds = FeatureType.parse("2x0+1x1"), FeatureType.parse("3x0+2x1+1x2")
    x = unit_features(kinds[0])
    unit = torch.tensor([[math.cos(1.0), math.sin(1.0)]]).double().expand(ROWS, 2)
    expected = rotate(layer(x), unit, kinds[1])
    assert torch.allclose(layer(rotate(x, unit, kinds[0])), expected)


@pytest.mark.parametrize("over", ["mesh", "vertex"])
def test_normalised_fields_have_unit_mean_square(make_plan, over):
    plan = make_plan("torus")
    layer = GaugeRMSNorm("3x0+2x1", over=over).double()
    x = 7 * torch.randn(plan.vertices, 7, dtype=torch.float64)
    out = layer(x, plan)
    fields = out[:, 3:].reshape(-1, 2, 2).square().sum(1)
    mean = fields.mean(0) if over == "mesh" else fields.mean(1)
    assert torch.allclose(mean, torch.ones_like(mean), atol=1e-6)


def test_normalisation_does_not_see_the_other_meshes(make_plan):
    one, two = make_plan("torus"), make_plan("icosphere", 1)
    both = type(one).join([one, two])
    layer = GaugeRMSNorm("3x0+2x1").double()
    x = torch.randn(both.vertices, 7, dtype=torch.float64)
    parts = [layer(x[: one.vertices], one), layer(x[one.vertices :], two)]
    assert torch.equal(layer(x, both), torch.cat(parts))
