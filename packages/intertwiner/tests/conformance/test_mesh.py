"""Meshes: the kit's own shapes, and which check finds which lie of a model on surfaces."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from conformance_toys.checking import failures

from intertwiner.conformance.action import frame_free, turn_frames
from intertwiner.conformance.findings import NotCovered
from intertwiner.conformance.groups import random_permutation, reflections, rotations
from intertwiner.conformance.structures.mesh import MeshKit, turn_corners
from intertwiner.conformance.structures.shapes import flip_edges, icosahedron, ring, subdivided
from intertwiner.fields import (
    ANY_NAME,
    FACE,
    GRAPH,
    VERTEX,
    Field,
    Gauge,
    Index,
    Irreps,
    Point,
    Scalar,
    Structure,
    Symmetry,
)
from intertwiner.schema import Schema
from intertwiner.specs import ModelSpec

INPUTS = (Field("pos", VERTEX, Point()), Field("face", FACE, Index(of=VERTEX)))
SPEC = ModelSpec(
    name="surface-net",
    summary="Tangent vectors with transport",
    target="conformance_toys.surface:SurfaceNet",
    config="conformance_toys.config:SurfaceNetConfig",
    reads=Structure.MESH,
    inputs=INPUTS,
    outputs=(
        Field(ANY_NAME, VERTEX, Scalar()),
        Field(ANY_NAME, VERTEX, Irreps("1o")),
        Field(ANY_NAME, GRAPH, Scalar()),
        Field("tangent", VERTEX, Gauge("1xr1")),
    ),
    symmetry=Symmetry(space="SE(3)", permutes=(VERTEX, FACE), gauge="SO(2)"),
)
SCHEMA = Schema(
    structure=Structure.MESH,
    inputs=INPUTS,
    targets=(Field("flow", VERTEX, Irreps("1o"), "1"), Field("area", FACE, Scalar(), "1")),
)
KIT = MeshKit()


def records():
    return KIT.records(SCHEMA, torch.Generator().manual_seed(0))


def lying(fault: str) -> ModelSpec:
    return replace(SPEC, tiny={"fault": fault})


def test_a_sound_model_of_surfaces_passes_everything():
    assert failures(SPEC) == {}


@pytest.mark.fault("F44")
def test_a_model_that_ignores_transport_is_told_by_its_gauge():
    failed = failures(lying("transport ignored"))
    assert {"gauge", "rotation"} <= set(failed)
    assert "turning the frame at every vertex" in failed["gauge"]


def test_a_model_that_never_looks_at_the_angles_is_not_passed_untested():
    scalar = replace(lying("frames not turned"), outputs=SPEC.outputs[:1])
    failed = failures(scalar)
    assert set(failed) == {"gauge"}
    assert "does not read 'gauge_angle'" in failed["gauge"]


def test_a_model_that_begins_at_the_first_corner_is_told_so():
    assert "face corners" in failures(lying("first corner"))


def test_a_mirror_is_not_asked_of_frames_whose_handedness_it_would_change():
    told = failures(replace(SPEC, symmetry=replace(SPEC.symmetry, space="E(3)")))
    assert "reflection" not in told


def test_the_shapes_are_oriented_closed_or_open_as_their_names_say():
    for record in records():
        face = record.face
        pairs = torch.cat([face[[0, 1]], face[[1, 2]], face[[2, 0]]], 1).T.tolist()
        half_edges = {tuple(pair) for pair in pairs}
        assert len(half_edges) == len(pairs), record.name
        border = [pair for pair in half_edges if (pair[1], pair[0]) not in half_edges]
        assert bool(border) == (record.name in ("open sheet", "two components")), record.name


def test_normals_of_a_closed_shape_point_outwards():
    for pos, face in (icosahedron(1.0), subdivided(icosahedron(1.0))):
        a, b, c = pos[face]
        assert bool(((torch.linalg.cross(b - a, c - a) * a).sum(1) > 0).all())


def test_a_mirror_keeps_the_outside_outside():
    record = records()[0]
    mirrored = KIT.move(SCHEMA, record, reflections(torch.Generator().manual_seed(0))[1])
    a, b, c = mirrored.pos[mirrored.face]
    outward = (torch.linalg.cross(b - a, c - a) * (a + b + c)).sum(1)
    assert bool((outward > 0).float().mean() > 0.9)


def test_renumbering_vertices_keeps_every_triangle_in_place():
    record = records()[2]
    order = random_permutation(record.num_nodes, torch.Generator().manual_seed(0))
    other = KIT.renumber(SCHEMA, record, VERTEX, order)
    assert torch.equal(other.pos[other.face], record.pos[record.face])
    assert torch.equal(other.flow, record.flow[order])
    assert torch.equal(other.area, record.area)


def test_renumbering_faces_carries_their_fields_along():
    record = records()[2]
    order = random_permutation(record.face.shape[1], torch.Generator().manual_seed(0))
    other = KIT.renumber(SCHEMA, record, FACE, order)
    assert torch.equal(other.face, record.face[:, order])
    assert torch.equal(other.area, record.area[order])


def test_turning_corners_keeps_winding_and_moves_every_face():
    record = records()[0]
    turned = turn_corners(record, torch.Generator().manual_seed(0)).face
    assert bool((turned[0] != record.face[0]).all())
    for one, other in zip(record.face.T.tolist(), turned.T.tolist(), strict=True):
        assert other in (one[1:] + one[:1], one[2:] + one[:2])


@pytest.mark.parametrize("shape", [icosahedron(1.0), ring(9, 5)], ids=["sphere", "ring"])
def test_flipping_edges_keeps_the_surface_closed(shape):
    flipped = flip_edges(shape[1])
    pairs = torch.cat([flipped[[0, 1]], flipped[[1, 2]], flipped[[2, 0]]], 1).T.tolist()
    half_edges = {tuple(pair) for pair in pairs}
    assert not torch.equal(flipped, shape[1])
    assert len(half_edges) == len(pairs)
    assert all((b, a) in half_edges for a, b in half_edges)


def test_disturbing_the_faces_changes_them_and_nothing_else():
    record = records()[0]
    other = KIT.disturb(record, INPUTS[1], torch.Generator().manual_seed(0))
    assert not torch.equal(other.face, record.face)
    assert torch.equal(other.pos, record.pos)


def test_faces_of_another_kind_are_refused():
    odd = (Field("pos", VERTEX, Point()), Field("face", VERTEX, Index(of=VERTEX)))
    schema = Schema(structure=Structure.MESH, inputs=odd, targets=())
    with pytest.raises(NotCovered, match="face an index of vertex per face"):
        KIT.records(schema, torch.Generator())


def test_turning_frames_multiplies_order_n_by_its_phase_and_keeps_sizes():
    rep = Gauge("2xr0+1xr1+1xr2")
    values = torch.randn(5, rep.width, generator=torch.Generator().manual_seed(0)).double()
    angle = torch.linspace(0, 3, 5).double()
    turned = turn_frames(rep, values, angle)
    assert torch.equal(turned[:, :2], values[:, :2])
    for order, start in ((1, 2), (2, 4)):
        before = torch.complex(values[:, start], values[:, start + 1])
        after = torch.complex(turned[:, start], turned[:, start + 1])
        torch.testing.assert_close(after, before * torch.exp(-1j * order * angle))
    torch.testing.assert_close(frame_free(rep, turned), frame_free(rep, values))


BREAKS = {
    "place": {"rotation", "reflection", "translation"},
    "axis": {"rotation", "reflection"},
    "handedness": {"reflection"},
    "numbering": {"vertices", "faces"},
    "corner": {"corners"},
    "frame": set(),
    "company": set(),
}


def changes(record):
    generator = torch.Generator().manual_seed(1)
    count, faces = record.num_nodes, record.face.shape[1]
    shifted = record.clone()
    shifted.pos = record.pos + 3.0
    return {
        "rotation": KIT.move(SCHEMA, record, rotations(generator)[0]),
        "reflection": KIT.move(SCHEMA, record, reflections(generator)[-1]),
        "translation": shifted,
        "vertices": KIT.renumber(SCHEMA, record, VERTEX, random_permutation(count, generator)),
        "faces": KIT.renumber(SCHEMA, record, FACE, random_permutation(faces, generator)),
        "corners": turn_corners(record, generator),
    }


@pytest.mark.parametrize("name", KIT.asymmetries)
def test_an_asymmetry_of_meshes_breaks_its_promise_and_no_other(name):
    broken = dict.fromkeys(changes(records()[0]), 0.0)
    for record in records():
        before = KIT.asymmetries[name](KIT.batch([record], torch.float64))
        for change, other in changes(record).items():
            after = KIT.asymmetries[name](KIT.batch([other], torch.float64))
            broken[change] = max(broken[change], float((after - before).abs()))
    assert {change for change, size in broken.items() if size > 1e-4} == BREAKS[name], broken
