"""A mesh at several resolutions, with the transport between a point and those it stands for.

Points of a coarser level are vertices of the finest one with their normals and frames; any two of
them have a transport. Pooling is the mean of the transported features of a cluster, unpooling the
transport back, which is its exact inverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_gauge_mesh.geometry.sampling import (
    Neighbourhood,
    farthest_points,
    near_pairs,
    nearest_along,
    surface_graph,
)
from intertwiner_gauge_mesh.geometry.transport import (
    complex_product,
    conjugate,
    connection,
    opposition,
)
from intertwiner_gauge_mesh.kernels.rotation import rotate
from intertwiner_gauge_mesh.plan import OPPOSITE, MeshPlan
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["HierarchySettings", "Level", "hierarchy"]


@dataclass(frozen=True, slots=True)
class HierarchySettings:
    """ratios of the vertices kept from level to level; radii of the neighbourhoods in mean edges
    of the mesh, or with `absolute` in the unit of positions; most neighbours; how they are found.
    """

    ratios: tuple[float, ...]
    radii: tuple[float, ...]
    neighbors: int = 32
    graph: Neighbourhood = "surface"
    absolute: bool = False


@dataclass(frozen=True, eq=False)
class Level:
    """One coarser level. chosen: its points among the vertices of the mesh; cluster: the point
    that each item of the level below belongs to; transport: e^{i phi} from the item to it, zero
    where normals are opposite.
    """

    plan: MeshPlan
    chosen: Int[Tensor, " points"]
    cluster: Int[Tensor, " items"]
    transport: Float[Tensor, "items 2"]

    def pool(self, x: Float[Tensor, "items width"], kind: FeatureType) -> Tensor:
        """The mean over each cluster, in the frame of its point."""
        moved = rotate(x, self.transport, kind)
        total = moved.new_zeros(self.plan.vertices, moved.shape[1])
        counts = torch.bincount(self.cluster, minlength=self.plan.vertices).clamp(min=1)
        return total.index_add(0, self.cluster, moved) / counts[:, None].to(x.dtype)

    def unpool(self, x: Float[Tensor, "points width"], kind: FeatureType) -> Tensor:
        """Every item gets the features of its point, in its own frame."""
        return rotate(x.index_select(0, self.cluster), conjugate(self.transport), kind)


def hierarchy(plan: MeshPlan, settings: HierarchySettings) -> list[Level]:
    """The coarser levels of a plan, finest first; of a joined plan, those of its meshes joined.

    What was computed for a mesh is kept with its plan.
    """
    parts = plan.parts or (plan,)
    found = []
    for part in parts:
        if settings not in part.cache:
            part.cache[settings] = _build(part, settings)
        found.append(part.cache[settings])
    levels = [_join(column, parts) for column in zip(*found, strict=True)]
    return levels if plan.angle is None else _turned(levels, plan.angle)


def _build(plan: MeshPlan, settings: HierarchySettings) -> list[Level]:
    pos = plan.pos.detach().double().cpu().numpy()
    length = plan.length.detach().double().cpu().numpy()
    graph = surface_graph(plan.target.cpu().numpy(), plan.source.cpu().numpy(), length, len(pos))
    unit = 1.0 if settings.absolute else float(length.mean()) if len(length) else 1.0
    below = np.arange(len(pos))
    candidates = np.flatnonzero(plan.used.cpu().numpy())
    levels = []
    for ratio, radius in zip(settings.ratios, settings.radii, strict=True):
        count = max(1, round(ratio * len(candidates)))
        centres = farthest_points(pos, candidates, count)
        belongs = nearest_along(graph, pos, centres)[below]
        pairs = near_pairs(graph, pos, centres, radius * unit, settings.neighbors, settings.graph)
        levels.append(_level(plan, below, centres, belongs, pairs))
        below = candidates = centres
    return levels


def _level(
    plan: MeshPlan,
    below: np.ndarray,
    centres: np.ndarray,
    belongs: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray],
) -> Level:
    device = plan.pos.device
    chosen, cluster, items, target, source = (
        torch.from_numpy(array).to(device) for array in (centres, belongs, below, *pairs)
    )
    frame = plan.frame.double()
    area = plan.area.new_zeros(len(chosen)).index_add(0, cluster, plan.area[items])
    coarse = MeshPlan.from_points(
        plan.pos[chosen],
        frame[chosen, 2],
        target,
        source,
        frame=frame[chosen],
        area=area,
        on_antipodal="drop",
    )
    here, there = frame[chosen[cluster]], frame[items]
    defined = opposition(here, there) >= OPPOSITE
    transport = torch.where(defined[:, None], connection(here, there), 0.0)
    return Level(coarse, chosen, cluster, transport.to(plan.pos.dtype))


def _join(levels: Sequence[Level], parts: Sequence[MeshPlan]) -> Level:
    if len(levels) == 1:
        return levels[0]
    chosen, cluster, vertices, points = [], [], 0, 0
    for level, part in zip(levels, parts, strict=True):
        chosen.append(level.chosen + vertices)
        cluster.append(level.cluster + points)
        vertices, points = vertices + part.vertices, points + level.plan.vertices
    return Level(
        MeshPlan.join([level.plan for level in levels]),
        torch.cat(chosen),
        torch.cat(cluster),
        torch.cat([level.transport for level in levels]),
    )


def _turned(levels: Sequence[Level], angle: Float[Tensor, " vertices"]) -> list[Level]:
    """The levels with the frames of the mesh turned: phi -> phi - g_P + g_q."""
    found = []
    below = angle
    for level in levels:
        here = angle[level.chosen]
        change = below - here[level.cluster]
        unit = torch.stack([change.cos(), change.sin()], -1)
        transport = complex_product(level.transport.double(), unit).to(level.transport.dtype)
        found.append(replace(level, plan=level.plan.turned(here), transport=transport))
        below = here
    return found
