"""Networks: frames, rotations and batch mates do not show; checkpoints and units are kept."""

from __future__ import annotations

import copy

import pytest
import torch

from intertwiner.fields import GRAPH, VERTEX, Field, Irreps, Label, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner_gauge_mesh import GemConfig, GemUNetConfig, build_network
from intertwiner_gauge_mesh._plugin import CARRIED, MESH_INPUTS
from intertwiner_gauge_mesh.errors import InvalidInput, InvalidSetting, MeshWarning, WrongType

TARGETS = (
    Field("height", VERTEX, Scalar()),
    Field("flow", VERTEX, Irreps("2x1o")),
    Field("stress", VERTEX, Irreps("0e+2e")),
    Field("part", VERTEX, Label(4)),
    Field("whole", GRAPH, Scalar()),
)
SMALL = {"hidden": "6x0+5x1+4x2", "head": (8,), "reach": 0.8}
KINDS = {
    "flat": GemConfig(**SMALL),
    "released": GemConfig(**SMALL, block="released", nonlinearity="quad", blocks=2),
    "unet": GemUNetConfig(**SMALL, ratios=(0.5,), radii=(2.5,), nonlinearity="gate"),
}


def network(kind="flat", targets=TARGETS, inputs=CARRIED, **changes):
    config = KINDS[kind]
    values = {**{name: getattr(config, name) for name in config.__dataclass_fields__}, **changes}
    schema = Schema(structure=Structure.MESH, inputs=(*MESH_INPUTS, *inputs), targets=targets)
    return build_network(type(config)(**values), schema)


def record(mesh, dtype=torch.float64, seed=0):
    pos, face = mesh
    generator = torch.Generator().manual_seed(seed)
    u = torch.randn(len(pos), generator=generator, dtype=torch.float64)
    v = torch.randn(len(pos), 3, generator=generator, dtype=torch.float64)
    return {"pos": pos.to(dtype), "face": face, "u": u.to(dtype), "v": v.to(dtype)}


def largest(one, two):
    return max(float((one[name] - two[name]).abs().max() / one[name].abs().max()) for name in one)


@pytest.fixture
def mesh(make_mesh):
    return make_mesh("bumpy_sphere", 2)


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_the_frames_do_not_show_in_single_precision(make_batch, mesh, random_angles, kind):
    model = network(kind).eval()
    plain = record(mesh, torch.float32)
    turned = {**plain, "gauge_angle": random_angles(len(mesh[0])).float()}
    assert largest(model(make_batch(plain)), model(make_batch(turned))) < 1e-5


@torch.no_grad()
def test_sampled_functions_of_normalised_features_hide_the_frames(make_batch, mesh, random_angles):
    model = network(nonlinearity="silu", normalize=True).eval()
    plain = record(mesh, torch.float32)
    turned = {**plain, "gauge_angle": random_angles(len(mesh[0])).float()}
    assert largest(model(make_batch(plain)), model(make_batch(turned))) < 1e-4


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_a_mesh_has_the_same_bits_alone_and_in_a_batch(make_batch, make_mesh, mesh, kind):
    model = network(kind).eval()
    records = [
        record(mesh, torch.float32),
        record(make_mesh("torus"), torch.float32, seed=1),
        record(make_mesh("grid", 5), torch.float32, seed=2),
    ]
    sizes = [len(item["pos"]) for item in records]
    together = model(make_batch(*records))
    for number, item in enumerate(records):
        alone = model(make_batch(item))
        start = sum(sizes[:number])
        for name, values in alone.items():
            rows = slice(number, number + 1)
            rows = rows if name == "whole" else slice(start, start + sizes[number])
            assert torch.equal(together[name][rows], values), name


@torch.no_grad()
def test_a_record_may_bring_its_own_frames(make_batch, mesh):
    model = network().double().eval()
    plain = record(mesh)
    framed = {**plain, "frame": torch.randn(len(mesh[0]), 3, dtype=torch.float64)}
    assert largest(model(make_batch(plain)), model(make_batch(framed))) < 1e-11


@torch.no_grad()
@pytest.mark.parametrize(("names", "blind"), [(("matrix",), True), (("xyz",), False)])
def test_coordinates_as_input_depend_on_the_rotation_and_moments_do_not(
    make_batch, mesh, random_rotation, names, blind
):
    schema = Schema(structure=Structure.MESH, inputs=MESH_INPUTS, targets=TARGETS[:1])
    model = build_network(GemConfig(**SMALL, inputs=names), schema).double().eval()
    moved = (mesh[0] @ random_rotation().T, mesh[1])
    one, two = (model(make_batch(record(item))) for item in (mesh, moved))
    assert (largest(one, two) < 1e-10) == blind


@torch.no_grad()
def test_coincident_vertices_get_the_same_output(make_batch, mesh):
    pos, face = mesh
    twin = face.clone()
    twin[0, 0] = len(pos)
    doubled = (torch.cat([pos, pos[face[0, :1]]]), twin)
    model = network(inputs=(), targets=TARGETS[:1]).double().eval()
    one = model(make_batch({"pos": pos, "face": face}))["height"]
    two = model(make_batch({"pos": doubled[0], "face": doubled[1]}))["height"]
    assert torch.allclose(two[:-1], one)
    assert torch.equal(two[-1], two[face[0, 0]])


def test_preparation_sets_reach_and_units(make_batch, mesh):
    model = network(targets=TARGETS[:2], reach=0.0).double()
    item = {**record(mesh), "height": 5 + 3 * torch.randn(len(mesh[0])).double()}
    item["flow"] = 2 * torch.randn(len(mesh[0]), 6).double()
    model.prepare([make_batch(item)])
    edges = model.plan(make_batch(item)).length.sort().values
    assert float(model.lengths[0]) == pytest.approx(float(edges[int(0.995 * len(edges))]))
    assert float(model.trunk.blocks[0].conv.reach) == pytest.approx(float(model.lengths[0]))
    assert float(model.readouts["height"].shift) == pytest.approx(float(item["height"].mean()))
    assert float(model.readouts["flow"].scale) == pytest.approx(
        float(item["flow"].square().mean().sqrt())
    )
    assert float(model.readouts["flow"].shift) == 0.0


def test_a_mesh_of_other_units_is_warned_of(make_batch, mesh):
    model = network(inputs=(), targets=TARGETS[:1], reach=100.0).double()
    model.prepare([make_batch({"pos": mesh[0], "face": mesh[1]})])
    with pytest.warns(MeshWarning, match="10 times that of the training meshes"):
        model(make_batch({"pos": 10 * mesh[0], "face": mesh[1]}))


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_gives_the_same_bits(make_batch, mesh, kind):
    one, two = network(kind, reach=0.9), network(kind, reach=0.5)
    two.load_state_dict(one.state_dict())
    batch = make_batch(record(mesh, torch.float32))
    for name, values in one.eval()(batch).items():
        assert torch.equal(two.eval()(batch)[name], values)


def test_a_missing_field_is_named(make_batch, mesh):
    with pytest.raises(InvalidInput, match="no field 'u'"):
        network().double()(make_batch({"pos": mesh[0], "face": mesh[1]}))


def test_fields_of_the_records_are_read_by_name(make_batch, mesh):
    model = network(inputs=(), targets=TARGETS[:1], reach=0.8).double()
    assert str(model.inputs.kind) == "7x0+4x1+3x2"
    named = build_network(
        GemConfig(**SMALL, inputs=("u:0e", "v:1o", "boundary", "reltan")),
        Schema(structure=Structure.MESH, inputs=MESH_INPUTS, targets=TARGETS[:1]),
    ).double()
    assert str(named.inputs.kind) == "3x0+2x1"
    assert named(make_batch(record(mesh)))["height"].shape == (len(mesh[0]),)


@pytest.mark.parametrize("name", ["w", "v:9z", ":0e"])
def test_inputs_that_mean_nothing_are_refused(name):
    schema = Schema(structure=Structure.MESH, inputs=MESH_INPUTS, targets=TARGETS[:1])
    with pytest.raises(Exception, match="inputs|irreps"):
        build_network(GemConfig(inputs=(name,)), schema)


def test_targets_that_need_higher_orders_are_refused():
    with pytest.raises(InvalidSetting, match="needs features of order 2"):
        network(targets=TARGETS[2:3], hidden="4x0+4x1")


def test_another_dtype_is_refused(make_batch, mesh):
    with pytest.raises(WrongType, match="positions are torch.float64"):
        network()(make_batch(record(mesh)))


def test_plans_of_meshes_seen_before_are_kept(make_batch, mesh):
    model = network().double()
    batch = make_batch(record(mesh))
    assert model.plan(batch).parts[0] is model.plan(make_batch(record(mesh, seed=5))).parts[0]
    other = {**record(mesh), "pos": mesh[0] + 1e-9}
    assert model.plan(make_batch(other)).parts[0] is not model.plan(batch).parts[0]


@torch.no_grad()
def test_a_copy_of_a_network_takes_no_plans_along(make_batch, mesh):
    model = network().double()
    batch = make_batch(record(mesh))
    model(batch)
    twin = copy.deepcopy(model)
    assert not twin.planner._kept
    assert twin.planner.make.__self__ is twin
    assert largest(model.eval()(batch), twin.eval()(batch)) == 0.0
