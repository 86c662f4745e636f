"""The layer: counts, gauge equivariance with a control that fails, special cases."""

from __future__ import annotations

import pytest
import torch

from intertwiner_gauge_mesh.errors import InvalidSetting, WrongType
from intertwiner_gauge_mesh.geometry.transport import complex_product, conjugate
from intertwiner_gauge_mesh.kernels.rotation import rotate
from intertwiner_gauge_mesh.layers.convolution import GaugeConv
from intertwiner_gauge_mesh.layers.exchange import pack_weight
from intertwiner_gauge_mesh.layers.paper_basis import (
    basis_labels,
    from_paper_basis,
    to_paper_basis,
)
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.types import FeatureType

UNEQUAL = ("3x0+2x1+1x2", "2x0+3x1+4x2")


def noisy(layer):
    """All parameters away from zero, biases included."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    return layer.double()


def units(angle):
    return torch.stack([angle.cos(), angle.sin()], -1)


def relative(seen, expected):
    return float(((seen - expected).abs().max() / expected.abs().max()).detach())


@pytest.mark.parametrize(
    ("type_in", "type_out", "count"),
    [
        ("16x0+16x1+16x2", "16x0+16x1+16x2", 14_160),
        ("3x0", "16x0+16x1+16x2", 608),
        ("16x0+16x1+16x2", "16x0", 2_832),
        ("1x0+1x1", "8x0+8x1+8x2", 304),
    ],
)
def test_numbers_of_parameters(type_in, type_out, count):
    layer = GaugeConv(type_in, type_out, rings=2)
    assert sum(parameter.numel() for parameter in layer.parameters()) == count


@pytest.mark.parametrize("weights", ["mean", "sum", "area"])
@pytest.mark.parametrize("self_mode", ["outside", "in_mean", "none"])
@pytest.mark.parametrize("rings", [1, 3])
def test_turning_the_frames_turns_the_output(make_plan, random_angles, weights, self_mode, rings):
    plan = make_plan("bumpy_sphere", 1)
    settings = {"weights": weights, "self_mode": self_mode, "rings": rings}
    layer = noisy(GaugeConv(*UNEQUAL, reach=0.8, **settings))
    x = torch.randn(plan.vertices, layer.type_in.width, dtype=torch.float64)
    angle = random_angles(plan.vertices)
    back = conjugate(units(angle))
    expected = rotate(layer(x, plan), back, layer.type_out)
    seen = layer(rotate(x, back, layer.type_in), plan.turned(angle))
    assert relative(seen, expected) < 1e-12


def test_without_transport_the_frames_would_show(make_plan, random_angles):
    """The control: were the transport angle 0, the test above would fail by more than 5 %."""
    plan = make_plan("bumpy_sphere", 1)
    layer = noisy(GaugeConv(*UNEQUAL, reach=0.8))
    x = torch.randn(plan.vertices, layer.type_in.width, dtype=torch.float64)
    angle = random_angles(plan.vertices)
    back = conjugate(units(angle))

    def blind(made):
        object.__setattr__(made, "pre", conjugate(made.post))
        return made

    expected = rotate(layer(x, blind(make_plan("bumpy_sphere", 1))), back, layer.type_out)
    seen = layer(rotate(x, back, layer.type_in), blind(plan.turned(angle)))
    assert relative(seen, expected) > 0.05


def test_a_turned_plan_is_the_plan_of_turned_frames(make_mesh, random_angles):
    pos, face = make_mesh("bumpy_sphere", 1)
    plan = MeshPlan.from_mesh(pos, face).turned(random_angles(len(pos)))
    other = MeshPlan.from_mesh(pos, face, frame=plan.frame[:, 0])
    assert torch.allclose(plan.post, other.post, atol=1e-12)
    assert torch.allclose(plan.pre, other.pre, atol=1e-12)


def test_order_zero_alone_is_an_isotropic_graph_convolution(make_plan):
    plan = make_plan("torus")
    layer = noisy(GaugeConv("3x0", "2x0", rings=1))
    x = torch.randn(plan.vertices, 3, dtype=torch.float64)
    mean = torch.stack([x[plan.source[plan.target == p]].mean(0) for p in range(len(x))])
    expected = x @ layer.self_weight.view(3, 2) + mean @ layer.weight[0] + 2 * layer.bias
    assert torch.allclose(layer(x, plan), expected, atol=1e-12)


def test_scaling_mesh_and_reach_together_changes_nothing(make_mesh):
    pos, face = make_mesh("bumpy_sphere", 1)
    layer = noisy(GaugeConv(*UNEQUAL, reach=0.8))
    x = torch.randn(len(pos), layer.type_in.width, dtype=torch.float64)
    before = layer(x, MeshPlan.from_mesh(pos, face))
    layer.set_reach(8.0)
    after = layer(x, MeshPlan.from_mesh(10 * pos, face))
    assert relative(after, before) < 1e-12


def test_faces_in_another_order_and_begun_elsewhere_change_no_bit(make_mesh):
    pos, face = make_mesh("torus")
    layer = noisy(GaugeConv(*UNEQUAL, reach=0.8))
    x = torch.randn(len(pos), layer.type_in.width, dtype=torch.float64)
    order = torch.randperm(face.shape[1])
    mixed = face[:, order].roll(1, 0)
    one, two = (layer(x, MeshPlan.from_mesh(pos, item)) for item in (face, mixed))
    assert relative(two, one) < 1e-12


def test_vertices_in_another_order_only_reorder(make_mesh):
    pos, face = make_mesh("bumpy_sphere", 1)
    layer = noisy(GaugeConv(*UNEQUAL, reach=0.8))
    x = torch.randn(len(pos), layer.type_in.width, dtype=torch.float64)
    order = torch.randperm(len(pos))
    place = torch.empty_like(order)
    place[order] = torch.arange(len(pos))
    seen = layer(x[order], MeshPlan.from_mesh(pos[order], place[face]))
    assert relative(seen, layer(x, MeshPlan.from_mesh(pos, face))[order]) < 1e-12


def test_a_layer_commutes_with_rotations_of_the_mesh(make_mesh, random_rotation):
    pos, face = make_mesh("bumpy_sphere", 1)
    layer = noisy(GaugeConv("2x0", "2x0+1x1", reach=0.8))
    x = torch.randn(len(pos), 2, dtype=torch.float64)
    plan = MeshPlan.from_mesh(pos, face)
    turn = random_rotation()
    moved = MeshPlan.from_mesh(pos @ turn.T + 3, face, frame=plan.frame[:, 0] @ turn.T)
    assert relative(layer(x, moved), layer(x, plan)) < 1e-11


def test_a_mirror_image_gives_the_same_as_kernels_with_mirrored_odd_parts(make_mesh):
    """Scalars of a mirrored surface differ: the layer tells left from right."""
    pos, face = make_mesh("bumpy_sphere", 1)
    layer = noisy(GaugeConv("1x0", "1x0+1x1", reach=0.8))
    second = noisy(GaugeConv("1x0+1x1", "1x0", reach=0.8))
    x = torch.randn(len(pos), 1, dtype=torch.float64)
    mirrored = pos * torch.tensor([-1.0, 1, 1], dtype=torch.float64)
    plans = [MeshPlan.from_mesh(pos, face), MeshPlan.from_mesh(mirrored, face.flip(0))]
    one, two = (second(layer(x, plan), plan) for plan in plans)
    assert relative(two, one) > 1e-3


def test_gradients_with_respect_to_positions(make_mesh):
    pos, face = make_mesh("tetrahedron")
    layer = noisy(GaugeConv("1x0+1x1", "1x0", rings=2, reach=4.0))
    x = torch.randn(4, 3, dtype=torch.float64)

    def run(place):
        plan = MeshPlan.from_mesh(place, face, differentiable=True)
        return layer(x, plan)

    pos = pos + 0.1 * torch.randn(4, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(run, pos.requires_grad_())


def test_the_basis_of_the_paper_and_back():
    weight = torch.randn(2, 3, 7, 4, 5, dtype=torch.float64)
    coefficients = to_paper_basis(weight)
    assert coefficients.shape[-1] == len(basis_labels(3, 2))
    assert torch.allclose(from_paper_basis(coefficients, 3, 2), weight, atol=1e-14)


def test_kernels_of_the_basis_are_the_turned_weight():
    """K(theta) = rho(theta) W rho(-theta) is the tabulated sum of functions, order 1 -> 2."""
    weight = torch.randn(1, 1, 5, 1, 5, dtype=torch.float64)
    theta = torch.tensor([0.7], dtype=torch.float64)
    labels = basis_labels(2, 2)
    start = labels.index((1, 2, 0))
    one, two, three, four = to_paper_basis(weight)[0, 0, 0, start : start + 4]
    n, m = 1, 2
    cm, sm = ((m - n) * theta).cos(), ((m - n) * theta).sin()
    cp, sp = ((m + n) * theta).cos(), ((m + n) * theta).sin()
    tables = [[cm, -sm, sm, cm], [sm, cm, -cm, sm], [cp, sp, sp, -cp], [-sp, cp, cp, sp]]
    basis = torch.stack([torch.cat(table).view(2, 2) for table in tables])
    expected = torch.einsum("k,kij->ij", torch.stack([one, two, three, four]), basis)
    kind = FeatureType.parse("1x0+1x1+1x2")
    turned = rotate(torch.eye(5, dtype=torch.float64), units(-theta).expand(5, 2), kind)
    kernel = rotate(turned @ pack_weight(weight)[0], units(theta).expand(5, 2), kind)
    assert torch.allclose(kernel[1:3, 3:5].T, expected, atol=1e-14)


def test_another_type_is_refused_with_both_types(make_plan):
    layer = GaugeConv("2x0+1x1", "1x0", rings=1)
    with pytest.raises(WrongType, match=r"not of type 2x0\+1x1"):
        layer(torch.zeros(12, 5), make_plan("icosphere", 0))


def test_a_checkpoint_of_another_type_is_refused():
    layer, other = GaugeConv("4x0", "2x1"), GaugeConv("2x1", "4x0")
    assert layer.weight.shape == other.weight.shape
    with pytest.raises(InvalidSetting, match="4x0 -> 2x1.*2x1 -> 4x0"):
        other.load_state_dict(layer.state_dict(), strict=False)


def test_a_checkpoint_gives_the_same_bits(make_plan):
    plan = make_plan("torus")
    layer, other = (GaugeConv("2x0+1x1", "3x0+1x2", reach=reach).double() for reach in (0.9, 5.0))
    other.load_state_dict(layer.state_dict())
    x = torch.randn(plan.vertices, 4, dtype=torch.float64)
    assert torch.equal(layer(x, plan), other(x, plan))


@pytest.mark.parametrize("reach", [0.0, -1.0, float("nan"), float("inf")])
def test_a_reach_that_is_no_length_is_refused(reach):
    with pytest.raises(InvalidSetting, match="reach"):
        GaugeConv("1x0", "1x0", reach=reach)


def test_vertices_without_neighbours_and_zero_features_stay_finite(make_plan):
    plan = make_plan("torus")
    layer = noisy(GaugeConv(*UNEQUAL, reach=0.8))
    x = torch.zeros(plan.vertices, layer.type_in.width, dtype=torch.float64, requires_grad=True)
    layer(x, plan).sum().backward()
    assert bool(torch.isfinite(x.grad).all())


def test_phases_compose(make_plan):
    plan = make_plan("bumpy_sphere", 1)
    assert torch.allclose(complex_product(plan.connection, conjugate(plan.post)), plan.pre)
