"""Types, layouts, features of the neighbourhood, and fields in space."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from intertwiner.fields import Irreps
from intertwiner_gauge_mesh.errors import InvalidInput, InvalidSetting
from intertwiner_gauge_mesh.geometry.transport import conjugate
from intertwiner_gauge_mesh.inputs import frame_parts, irreps_type
from intertwiner_gauge_mesh.kernels.rotation import rotate
from intertwiner_gauge_mesh.layers.ambient import (
    from_irreps,
    tensors_from_frame,
    tensors_to_frame,
    to_irreps,
    vectors_from_frame,
    vectors_to_frame,
)
from intertwiner_gauge_mesh.layers.concatenate import concatenate, concatenated
from intertwiner_gauge_mesh.layers.exchange import pack, unpack
from intertwiner_gauge_mesh.layers.matrix_features import (
    MATRIX_TYPE,
    matrix_channels,
    matrix_features,
)
from intertwiner_gauge_mesh.layers.place import PLACE_WIDTH, own_axes, place_features
from intertwiner_gauge_mesh.layers.reltan import relative_tangents
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.types import FeatureType


@given(st.lists(st.integers(0, 20), min_size=1, max_size=5))
def test_types_read_what_they_write(counts):
    kind = FeatureType.parse(counts)
    assert FeatureType.parse(str(kind)) == kind
    assert kind.width == sum(block.stop - block.start for block in kind.blocks)


@pytest.mark.parametrize("text", ["", "3x", "2x0+1x0", "axb", "1x-1"])
def test_text_that_is_no_type_is_refused(text):
    with pytest.raises(InvalidSetting, match="feature type"):
        FeatureType.parse(text)


def test_packing_and_back():
    kind = FeatureType.uniform(3, 2)
    x = torch.randn(4, 3, 5)
    packed = pack(x)
    assert torch.equal(unpack(packed, kind), x)
    assert torch.equal(packed[:, kind.blocks[2].imaginary], x[:, :, 4])
    with pytest.raises(InvalidInput, match="equally many"):
        unpack(packed, FeatureType.parse("15x0+1x1"))


@pytest.mark.parametrize(
    ("make", "kind"), [(matrix_features, MATRIX_TYPE), (relative_tangents, FeatureType((0, 1)))]
)
def test_features_turn_with_the_frames_and_not_with_the_mesh(
    make_mesh, random_rotation, random_angles, make, kind
):
    pos, face = make_mesh("bumpy_sphere", 1)
    plan = MeshPlan.from_mesh(pos, face)
    angle = random_angles(len(pos))
    unit = torch.stack([angle.cos(), angle.sin()], 1)
    expected = rotate(make(plan), conjugate(unit), kind)
    assert torch.allclose(make(plan.turned(angle)), expected, atol=1e-12)
    turn = random_rotation()
    moved = MeshPlan.from_mesh(pos @ turn.T + 5, face, frame=plan.frame[:, 0] @ turn.T)
    assert torch.allclose(make(moved), make(plan), atol=1e-12)


def test_matrix_features_measure_lengths_in_the_unit_given(make_mesh):
    pos, face = make_mesh("bumpy_sphere", 1)
    one = matrix_features(MeshPlan.from_mesh(pos, face), 0.1)
    ten = matrix_features(MeshPlan.from_mesh(10 * pos, face), 1.0)
    assert torch.allclose(one, ten, atol=1e-12)


def test_channels_hold_the_numbers_of_the_typed_form_and_zeros(make_plan):
    plan = make_plan("torus")
    channels = matrix_channels(plan)
    assert int((channels.abs().sum(0) == 0).sum()) >= 14
    assert torch.allclose(channels.square().sum(), matrix_features(plan).square().sum())


def test_vectors_go_into_the_frame_and_back(make_plan):
    frame = make_plan("bumpy_sphere", 1).frame
    vectors = torch.randn(len(frame), 2, 3, dtype=torch.float64)
    assert torch.allclose(vectors_from_frame(*vectors_to_frame(vectors, frame), frame), vectors)


def test_tensors_go_into_the_frame_and_back(make_plan):
    frame = make_plan("bumpy_sphere", 1).frame
    tensors = torch.randn(len(frame), 2, 3, 3, dtype=torch.float64)
    tensors = tensors + tensors.mT
    assert torch.allclose(tensors_from_frame(*tensors_to_frame(tensors, frame), frame), tensors)
    assert torch.allclose(from_irreps(to_irreps(tensors)), tensors)
    assert torch.allclose(to_irreps(tensors).norm(dim=-1), tensors.flatten(2).norm(dim=-1))


def test_irreps_are_those_of_e3nn(random_rotation):
    o3 = pytest.importorskip("e3nn.o3", reason="e3nn is not installed")
    tensors = torch.randn(5, 3, 3, dtype=torch.float64)
    tensors = tensors + tensors.mT
    turn = random_rotation()
    matrix = o3.Irreps("0e+2e").D_from_matrix(turn)
    moved = to_irreps(turn @ tensors @ turn.T)
    assert torch.allclose(moved, to_irreps(tensors) @ matrix.T, atol=1e-6)


def test_fields_in_space_have_their_parts_in_the_frame(make_plan, random_angles):
    plan = make_plan("bumpy_sphere", 1)
    irreps = Irreps("2x0e+1x1o+1x2e")
    kind = irreps_type(irreps)
    assert str(kind) == "4x0+2x1+1x2"
    values = torch.randn(plan.vertices, irreps.width, dtype=torch.float64)
    parts = frame_parts(values, irreps, plan.frame)
    assert torch.allclose(parts[:, :2], values[:, :2])
    angle = random_angles(plan.vertices)
    unit = torch.stack([angle.cos(), angle.sin()], 1)
    turned = frame_parts(values, irreps, plan.turned(angle).frame)
    assert torch.allclose(turned, rotate(parts, conjugate(unit), kind), atol=1e-12)


def test_features_are_joined_order_by_order():
    one, two = FeatureType.parse("2x0+1x1"), FeatureType.parse("1x0+2x2")
    x, y = torch.randn(3, 4), torch.randn(3, 5)
    assert str(concatenated([one, two])) == "3x0+1x1+2x2"
    joined = concatenate([(x, one), (y, two)])
    assert torch.equal(joined, torch.cat([x[:, :2], y[:, :1], x[:, 2:], y[:, 1:]], 1))


def test_the_place_of_a_vertex_does_not_change_when_the_mesh_is_moved_and_turned(
    make_mesh, random_rotation
):
    pos, face = make_mesh("bumpy_sphere", 2)
    turn = random_rotation()
    plain = place_features(MeshPlan.from_mesh(pos, face))
    moved = place_features(MeshPlan.from_mesh(pos @ turn.T + 7, face))
    assert plain.shape[1] == PLACE_WIDTH
    assert torch.allclose(plain, moved, atol=1e-8)
    assert plain[:, :3].square().sum(1).mean() == pytest.approx(1.0, abs=0.3)


def test_own_axes_are_right_handed_and_the_widest_comes_first(make_mesh):
    pos, face = make_mesh("bumpy_sphere", 2)
    plan = MeshPlan.from_mesh(pos * torch.tensor([1.0, 3.0, 2.0]), face)
    _, axes, _ = own_axes(plan.pos, plan.area)
    assert torch.linalg.det(axes) == pytest.approx(1.0)
    assert axes[:, 0].abs().argmax() == 1
