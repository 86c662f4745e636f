"""The plan of a mesh: frames, edges, angles and transport, computed once and shared by all layers.

A batch of meshes is the disjoint union of their plans (`MeshPlan.join`): nothing depends on the
other meshes. Numbers are computed in double precision and stored in that of the positions.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intertwiner_gauge_mesh.errors import InvalidInput, InvalidMesh, MeshWarning, WrongType
from intertwiner_gauge_mesh.geometry.checks import check_finite, check_rows
from intertwiner_gauge_mesh.geometry.edges import row_pointers, sort_pairs
from intertwiner_gauge_mesh.geometry.frames import (
    axis_frames,
    directed_frames,
    first_neighbour_frames,
    turned,
)
from intertwiner_gauge_mesh.geometry.normals import NormalWeights, OnZeroNormal
from intertwiner_gauge_mesh.geometry.surface import MeshSummary, Surface, make_surface
from intertwiner_gauge_mesh.geometry.transport import (
    complex_product,
    conjugate,
    connection,
    dot,
    opposition,
    polar,
)
from intertwiner_gauge_mesh.graph import EdgeGraph
from intertwiner_gauge_mesh.radial import Radial, ring_weights

__all__ = ["MeshPlan", "OnAntipodal"]

OnAntipodal = Literal["error", "drop"]
OPPOSITE = 1e-4
COINCIDENT = 1e-9
VERTICAL = 1e-6
LONG_SHARE = 0.01


@dataclass(frozen=True, eq=False)
class MeshPlan:
    """Everything that the layers need of a mesh of V (welded) vertices and E directed edges.

    pos, frame (rows X, Y, n), area (a third of the faces around), used (in a face), boundary: of
    the vertices. Edges sorted by target: indptr, target p, source q, length |x_q - x_p|,
    post = e^{i theta} (direction of q in the frame of p), pre = e^{i (phi - theta)} with phi the
    transport from q to p.
    weld: row of each vertex of the original mesh here, None when they are the same.
    ptr: vertices ptr[m] to ptr[m + 1] are those of mesh m.
    parts, angle: of a joined plan the plans it was made of, and by how much their frames were
    turned since.
    """

    pos: Float[Tensor, "vertices 3"]
    frame: Float[Tensor, "vertices 3 3"]
    area: Float[Tensor, " vertices"]
    used: Bool[Tensor, " vertices"]
    boundary: Bool[Tensor, " vertices"]
    indptr: Int[Tensor, " vertices_plus_1"]
    target: Int[Tensor, " edges"]
    source: Int[Tensor, " edges"]
    length: Float[Tensor, " edges"]
    post: Float[Tensor, "edges 2"]
    pre: Float[Tensor, "edges 2"]
    ptr: tuple[int, ...]
    summaries: tuple[MeshSummary, ...]
    weld: Int[Tensor, " original"] | None = None
    parts: tuple[MeshPlan, ...] = ()
    angle: Float[Tensor, " vertices"] | None = None
    cache: dict[Any, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_mesh(
        cls,
        pos: Float[Tensor, "vertices 3"],
        face: Int[Tensor, "3 faces"],
        *,
        frame: Literal["axis", "first_neighbour"] | Float[Tensor, "vertices 3"] = "axis",
        normals: NormalWeights = "angle",
        weld: bool = True,
        strict: bool = False,
        on_antipodal: OnAntipodal = "error",
        on_zero_normal: OnZeroNormal = "error",
        differentiable: bool = False,
    ) -> MeshPlan:
        """The plan of one triangle mesh.

        frame: how the frames are chosen, or a direction for the X axis of each vertex.
        normals: faces weighted by "angle" or "area". weld: make coincident vertices one.
        strict: coincident vertices, faces without area or of another winding are errors.
        on_antipodal: edges between opposite normals are an error, or dropped.
        on_zero_normal: where the faces around a vertex cancel, an error, or a fit ("pca").
        differentiable: keep the gradient with respect to positions.

        Raises `InvalidMesh`, `InvalidInput` or `WrongType`, naming the face, vertex or edge.
        """
        with torch.set_grad_enabled(differentiable and torch.is_grad_enabled()):
            surface = make_surface(
                pos,
                face,
                normals=normals,
                weld=weld,
                strict=strict,
                on_zero_normal=on_zero_normal,
            )
            frames = _choose_frames(surface, frame, len(pos))
            plan = cls._build(
                surface.pos, frames, surface.target, surface.source, on_antipodal, pos.dtype
            )
        dropped = surface.summary.edges - len(plan.target)
        summary = replace(surface.summary, edges=len(plan.target), dropped_edges=dropped)
        return replace(
            plan,
            area=surface.area.to(pos.dtype),
            used=surface.used,
            boundary=surface.boundary,
            weld=surface.weld,
            summaries=(summary,),
        )

    @classmethod
    def from_points(
        cls,
        pos: Float[Tensor, "points 3"],
        normal: Float[Tensor, "points 3"],
        target: Int[Tensor, " pairs"],
        source: Int[Tensor, " pairs"],
        *,
        frame: Float[Tensor, "points 3 3"] | None = None,
        area: Float[Tensor, " points"] | None = None,
        on_antipodal: OnAntipodal = "error",
    ) -> MeshPlan:
        """The plan of points with unit normals and given neighbours (both directions listed).

        frame: rows X, Y, n, in place of the default. area: of every point, by default 1.
        """
        frames = axis_frames(normal.double()) if frame is None else frame.double()
        target, source = sort_pairs(target.long(), source.long(), max(1, len(pos)))
        plan = cls._build(pos.double(), frames, target, source, on_antipodal, pos.dtype)
        return plan if area is None else replace(plan, area=area.to(pos.dtype))

    @classmethod
    def _build(
        cls,
        pos: Tensor,
        frames: Tensor,
        target: Tensor,
        source: Tensor,
        on_antipodal: OnAntipodal,
        dtype: torch.dtype,
    ) -> MeshPlan:
        offset = pos.index_select(0, source) - pos.index_select(0, target)
        square = dot(offset, offset)
        here, there = frames.index_select(0, target), frames.index_select(0, source)
        direction, projected = polar(here, offset)
        length = torch.where(square > 0, square, torch.ones_like(square)).sqrt()
        size = (pos.amax(0) - pos.amin(0)).norm() if len(pos) else pos.new_zeros(())
        keep = (length > COINCIDENT * size) & (square > 0) & (projected >= VERTICAL * length)
        keep &= _has_transport(here, there, target, source, on_antipodal)
        if not bool(keep.all()):
            target, source, length, direction, here, there = (
                item[keep] for item in (target, source, length, direction, here, there)
            )
        pre = complex_product(connection(here, there), conjugate(direction))
        everywhere = torch.ones(len(pos), dtype=torch.bool, device=pos.device)
        return cls(
            pos=pos.to(dtype),
            frame=frames.to(dtype),
            area=pos.new_ones(len(pos)).to(dtype),
            used=everywhere,
            boundary=~everywhere,
            indptr=row_pointers(target, len(pos)),
            target=target,
            source=source,
            length=length.to(dtype),
            post=direction.to(dtype),
            pre=pre.to(dtype),
            ptr=(0, len(pos)),
            summaries=(MeshSummary(len(pos), 0, len(target)),),
        )

    @staticmethod
    def join(plans: Sequence[MeshPlan]) -> MeshPlan:
        """The plan of the meshes side by side.

        Raises `WrongType` when they are of several dtypes or devices.
        """
        if len(plans) == 1:
            return plans[0]
        kinds = {(plan.pos.dtype, plan.pos.device) for plan in plans}
        if len(kinds) > 1:
            raise WrongType(f"plans of several dtypes or devices cannot be joined: {kinds}")
        starts = [0]
        for plan in plans:
            starts.append(starts[-1] + plan.vertices)
        edge_starts = [0]
        for plan in plans:
            edge_starts.append(edge_starts[-1] + len(plan.target))

        def joined(name: str) -> Tensor:
            return torch.cat([getattr(plan, name) for plan in plans])

        def shifted(name: str) -> Tensor:
            pairs = zip(plans, starts, strict=False)
            return torch.cat([getattr(plan, name) + start for plan, start in pairs])

        tails = [plan.indptr[1:] + at for plan, at in zip(plans, edge_starts, strict=False)]
        ptr = [0]
        for plan, start in zip(plans, starts, strict=False):
            ptr += [start + bound for bound in plan.ptr[1:]]
        return MeshPlan(
            pos=joined("pos"),
            frame=joined("frame"),
            area=joined("area"),
            used=joined("used"),
            boundary=joined("boundary"),
            indptr=torch.cat([plans[0].indptr[:1], *tails]),
            target=shifted("target"),
            source=shifted("source"),
            length=joined("length"),
            post=joined("post"),
            pre=joined("pre"),
            ptr=tuple(ptr),
            summaries=tuple(summary for plan in plans for summary in plan.summaries),
            weld=_joined_welds(plans, starts),
            parts=tuple(plans),
        )

    @property
    def vertices(self) -> int:
        """Rows that features have on this plan."""
        return len(self.pos)

    @property
    def normal(self) -> Float[Tensor, "vertices 3"]:
        return self.frame[:, 2]

    @property
    def degree(self) -> Int[Tensor, " vertices"]:
        return self.indptr[1:] - self.indptr[:-1]

    @property
    def mesh_of(self) -> Int[Tensor, " vertices"]:
        """The number of the mesh that each vertex belongs to."""
        if "mesh_of" not in self.cache:
            bounds = torch.tensor(self.ptr, device=self.pos.device)
            numbers = torch.arange(len(self.ptr) - 1, device=self.pos.device)
            self.cache["mesh_of"] = numbers.repeat_interleave(bounds.diff())
        found: Tensor = self.cache["mesh_of"]
        return found

    @property
    def connection(self) -> Float[Tensor, "edges 2"]:
        """e^{i phi} of the transport from each source to its target."""
        return complex_product(self.pre, self.post)

    def turned(self, angle: Float[Tensor, " vertices"]) -> MeshPlan:
        """The plan with every frame turned counter-clockwise about its normal by `angle` (radian).

        theta -> theta - g_p and phi -> phi - g_p + g_q, hence pre -> pre + g_q.
        """
        check_rows("gauge_angle", angle, self.vertices)
        check_finite("gauge_angle", angle)
        angle = angle.reshape(-1).double()
        unit = torch.stack([angle.cos(), angle.sin()], -1)
        post = complex_product(self.post.double(), conjugate(unit)[self.target])
        pre = complex_product(self.pre.double(), unit[self.source])
        frame = turned(self.frame.double(), angle)
        dtype = self.pos.dtype
        return replace(
            self,
            post=post.to(dtype),
            pre=pre.to(dtype),
            frame=frame.to(dtype),
            parts=self.parts or (self,),
            angle=angle if self.angle is None else self.angle + angle,
            cache={},
        )

    def to(self, device: torch.device | str | None = None) -> MeshPlan:
        """The plan on another device."""
        moved: dict[str, Any] = {
            name: value.to(device)
            for name, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        return replace(self, **moved, cache={})

    def graph(
        self,
        *,
        rings: int = 1,
        reach: float = 1.0,
        weights: Literal["mean", "sum", "area"] = "mean",
        radial: Radial = "clamp",
        self_mode: Literal["outside", "in_mean", "none"] = "outside",
    ) -> EdgeGraph:
        """Edges with the weights of a layer of these settings; kept once made.

        reach: largest resolved edge length, in the unit of the positions.
        weights: of the neighbours, 1/degree ("mean"), 1 ("sum"), or their share of area ("area").
        self_mode: the vertex "outside" the sum, an item of the mean ("in_mean"), or left out.
        """
        key = (rings, reach, weights, radial, self_mode)
        if key not in self.cache:
            self.cache[key] = self._graph(rings, reach, weights, radial, self_mode)
        found: EdgeGraph = self.cache[key]
        return found

    def _graph(
        self, rings: int, reach: float, weights: str, radial: Radial, self_mode: str
    ) -> EdgeGraph:
        share = self._shares(weights, self_mode == "in_mean")
        hats = ring_weights(self.length, reach, rings, radial)
        return EdgeGraph(
            vertices=self.vertices,
            indptr=self.indptr,
            target=self.target,
            source=self.source,
            post=self.post,
            pre=self.pre,
            rings=hats * share[:, None],
            edge_weight=share,
            self_weight=self._self_weight(self_mode),
        )

    def _self_weight(self, self_mode: str) -> Float[Tensor, " vertices"] | None:
        if self_mode == "outside":
            return None
        if self_mode == "none":
            return torch.zeros_like(self.area)
        return 1.0 / (self.degree + 1).to(self.pos.dtype)

    def _shares(self, weights: str, self_in_mean: bool) -> Float[Tensor, " edges"]:
        """Weight of every edge among those of its target."""
        if weights == "sum":
            return torch.ones_like(self.length)
        if weights == "mean":
            return (1.0 / (self.degree + int(self_in_mean)).to(self.pos.dtype))[self.target]
        areas = self.area[self.source]
        total = torch.zeros_like(self.area).index_add(0, self.target, areas)
        return areas / total.clamp(min=torch.finfo(total.dtype).tiny)[self.target]

    def report_long_edges(self, reach: float) -> bool:
        """Warns when more than 1 % of the edges are longer than `reach`; whether it did."""
        share = float((self.length > reach).double().mean()) if len(self.length) else 0.0
        if share > LONG_SHARE:
            warnings.warn(
                f"{share:.1%} of the edges are longer than the reach of the filters, {reach:.4g}: "
                "they are seen as that long. Is the mesh in the unit of the training data?",
                MeshWarning,
                stacklevel=4,
            )
        return share > LONG_SHARE


def _choose_frames(surface: Surface, frame: str | Tensor, vertices: int) -> Tensor:
    if isinstance(frame, Tensor):
        check_rows("frame", frame, vertices)
        check_finite("frame", frame)
        direction = frame.double()
        if surface.weld is not None:
            first = _first_members(surface.weld, len(surface.pos))
            direction = direction[first]
        return directed_frames(surface.normal, direction)
    if frame == "first_neighbour":
        return first_neighbour_frames(surface.pos, surface.normal, *surface.listed)
    if frame == "axis":
        return axis_frames(surface.normal)
    raise InvalidInput(f"frame={frame!r}: choose 'axis', 'first_neighbour' or give directions")


def _first_members(weld: Tensor, places: int) -> Int[Tensor, " places"]:
    numbers = torch.arange(len(weld), device=weld.device)
    first = torch.full((places,), len(weld), device=weld.device)
    return first.scatter_reduce(0, weld, numbers, "amin")


def _has_transport(
    here: Tensor, there: Tensor, target: Tensor, source: Tensor, on_antipodal: OnAntipodal
) -> Bool[Tensor, " edges"]:
    """False where normals are opposite, or an error naming the first such edge."""
    defined = opposition(here.detach(), there.detach()) >= OPPOSITE
    if on_antipodal == "error" and not bool(defined.all()):
        edge = int((~defined).nonzero()[0])
        raise InvalidMesh(
            f"the normals of neighbours {int(target[edge])} and {int(source[edge])} are opposite: "
            f"transport is undefined ({int((~defined).sum())} such directed edges). Repair the "
            "fold, or pass on_antipodal='drop' to leave such edges out"
        )
    return defined


def _joined_welds(plans: Sequence[MeshPlan], starts: Sequence[int]) -> Tensor | None:
    if all(plan.weld is None for plan in plans):
        return None
    device = plans[0].pos.device
    rows = [
        torch.arange(plan.vertices, device=device) if plan.weld is None else plan.weld
        for plan in plans
    ]
    return torch.cat([row + start for row, start in zip(rows, starts, strict=False)])
