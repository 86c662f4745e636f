"""Coarser levels: deterministic, transported exactly, blind to the frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from intertwiner_gauge_mesh.geometry.sampling import farthest_points, near_pairs, surface_graph
from intertwiner_gauge_mesh.geometry.transport import conjugate
from intertwiner_gauge_mesh.hierarchy import HierarchySettings, hierarchy
from intertwiner_gauge_mesh.kernels.rotation import rotate
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.types import FeatureType

SETTINGS = HierarchySettings((0.4, 0.3), (2.5, 4.0))
KIND = FeatureType.parse("2x0+1x1+1x2")


def units(angle):
    return torch.stack([angle.cos(), angle.sin()], 1)


def test_a_parallel_field_on_a_flat_mesh_is_pooled_and_unpooled_unchanged(make_plan):
    plan = make_plan("grid", 7)
    x = torch.randn(1, KIND.width, dtype=torch.float64).expand(plan.vertices, -1)
    for level in hierarchy(plan, SETTINGS):
        pooled = level.pool(x, KIND)
        assert torch.allclose(pooled, x[: len(pooled)])
        assert torch.allclose(level.unpool(pooled, KIND), x)
        x = pooled


def test_unpooling_is_the_inverse_of_the_transport(make_plan):
    level = hierarchy(make_plan("bumpy_sphere", 2), SETTINGS)[0]
    x = torch.randn(level.plan.vertices, KIND.width, dtype=torch.float64)
    assert torch.allclose(level.pool(level.unpool(x, KIND), KIND), x)


def test_levels_turn_with_the_frames(make_plan, random_angles):
    plan = make_plan("bumpy_sphere", 2)
    angle = random_angles(plan.vertices)
    turned = hierarchy(plan.turned(angle), SETTINGS)
    x = torch.randn(plan.vertices, KIND.width, dtype=torch.float64)
    back = conjugate(units(angle))
    y = rotate(x, back, KIND)
    for level, other in zip(hierarchy(plan, SETTINGS), turned, strict=True):
        assert torch.equal(level.chosen, other.chosen)
        x, y = level.pool(x, KIND), other.pool(y, KIND)
        assert torch.allclose(rotate(x, back[level.chosen], KIND), y, atol=1e-12)


def test_points_do_not_depend_on_the_order_of_vertices(make_mesh):
    pos, face = make_mesh("bumpy_sphere", 2)
    order = torch.randperm(len(pos))
    place = torch.empty_like(order)
    place[order] = torch.arange(len(pos))
    one = hierarchy(MeshPlan.from_mesh(pos, face), SETTINGS)
    two = hierarchy(MeshPlan.from_mesh(pos[order], place[face]), SETTINGS)
    for level, other in zip(one, two, strict=True):
        assert torch.equal(level.chosen, order[other.chosen])
        assert len(level.plan.target) == len(other.plan.target)


def test_levels_of_a_batch_are_those_of_its_meshes(make_plan):
    plans = [make_plan("bumpy_sphere", 1), make_plan("torus")]
    joined = hierarchy(MeshPlan.join(plans), SETTINGS)
    alone = [hierarchy(plan, SETTINGS) for plan in plans]
    for number, level in enumerate(joined):
        sizes = [levels[number].plan.vertices for levels in alone]
        assert level.plan.vertices == sum(sizes)
        posts = torch.cat([levels[number].plan.post for levels in alone])
        assert torch.equal(level.plan.post, posts)
        shifted = alone[1][number].cluster + sizes[0]
        assert torch.equal(level.cluster, torch.cat([alone[0][number].cluster, shifted]))


def test_points_near_in_space_but_far_along_the_surface_are_no_neighbours():
    """Two parallel sheets joined at one end."""
    x = np.arange(20.0)
    pos = np.concatenate([np.stack([x, 0 * x, 0 * x], 1), np.stack([x, 0 * x, 0 * x + 0.5], 1)])
    chain = np.concatenate([np.arange(19, -1, -1), np.arange(20, 40)])
    target, source = chain[:-1], chain[1:]
    length = np.linalg.norm(pos[target] - pos[source], axis=1)
    both = np.concatenate([target, source]), np.concatenate([source, target])
    graph = surface_graph(*both, np.concatenate([length, length]), 40)
    centres = np.arange(40)
    near = set(zip(*near_pairs(graph, pos, centres, 1.2, 8, "surface"), strict=True))
    everyone = set(zip(*near_pairs(graph, pos, centres, 1.2, 8, "euclid"), strict=True))
    assert (19, 39) in everyone
    assert (19, 39) not in near
    assert (0, 20) in near


def test_of_many_neighbours_the_nearest_are_kept_in_both_directions():
    generator = np.random.default_rng(0)
    pos = generator.normal(size=(60, 3))
    empty = np.zeros(0, dtype=np.int64)
    graph = surface_graph(empty, empty, np.zeros(0), 60)
    target, source = near_pairs(graph, pos, np.arange(60), 10.0, 5, "euclid")
    pairs = set(zip(target.tolist(), source.tolist(), strict=True))
    assert pairs == {(q, p) for p, q in pairs}
    distance = np.linalg.norm(pos[:, None] - pos, axis=2)
    for p in range(60):
        assert {(p, int(q)) for q in np.argsort(distance[p])[1:6]} <= pairs


@pytest.mark.parametrize("count", [1, 4, 12])
def test_farthest_points_are_spread(make_mesh, count):
    pos = make_mesh("icosphere", 1)[0].numpy()
    found = farthest_points(pos, np.arange(len(pos)), count)
    assert len(set(found.tolist())) == count
    if count == 12:
        chosen = pos[found]
        gaps = np.linalg.norm(chosen[:, None] - chosen, axis=2) + 9 * np.eye(12)
        assert gaps.min() > 0.6
