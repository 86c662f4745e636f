"""A surface made ready: checked, welded, oriented, with a normal at every vertex and two-way edges.

What was repaired or left out is counted in a `MeshSummary`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intertwiner_gauge_mesh.errors import InvalidMesh
from intertwiner_gauge_mesh.geometry.checks import check_faces, check_positions
from intertwiner_gauge_mesh.geometry.edges import half_edges, tabulate_edges
from intertwiner_gauge_mesh.geometry.faces import measure_triangles, vertex_areas
from intertwiner_gauge_mesh.geometry.normals import (
    NormalWeights,
    OnZeroNormal,
    fit_normals,
    vertex_normals,
)
from intertwiner_gauge_mesh.geometry.orientation import orient
from intertwiner_gauge_mesh.geometry.welding import weld as find_coincident

__all__ = ["MeshSummary", "Surface", "make_surface"]


@dataclass(frozen=True, slots=True)
class MeshSummary:
    """Counts of what a mesh holds, and of what was repaired in it.

    vertices, faces, edges (directed) are those used. coincident: vertices welded to another;
    unreferenced: in no face; degenerate_faces: without area; flipped_faces; crowded_edges: of
    more than two faces; dropped_edges: directed ones without a direction or transport;
    fitted_normals: where faces cancel.
    """

    vertices: int
    faces: int
    edges: int
    coincident: int = 0
    unreferenced: int = 0
    degenerate_faces: int = 0
    flipped_faces: int = 0
    crowded_edges: int = 0
    dropped_edges: int = 0
    fitted_normals: int = 0


class Surface(NamedTuple):
    """pos, face, unit normal, area, used and boundary flags of the welded vertices; edges
    (target, source) sorted by target; the corners in their listed order (from, to).

    weld: number of every original vertex among the welded ones; None when none coincide.
    """

    pos: Float[Tensor, "vertices 3"]
    face: Int[Tensor, "3 faces"]
    normal: Float[Tensor, "vertices 3"]
    area: Float[Tensor, " vertices"]
    used: Bool[Tensor, " vertices"]
    boundary: Bool[Tensor, " vertices"]
    target: Int[Tensor, " edges"]
    source: Int[Tensor, " edges"]
    weld: Int[Tensor, " original"] | None
    summary: MeshSummary

    @property
    def listed(self) -> tuple[Tensor, Tensor]:
        """(from, to) along the winding of each face, face after face."""
        start, end = half_edges(self.face)
        return start[start != end], end[start != end]


def make_surface(
    pos: Float[Tensor, "vertices 3"],
    face: Int[Tensor, "3 faces"],
    *,
    normals: NormalWeights = "angle",
    weld: bool = True,
    strict: bool = False,
    on_zero_normal: OnZeroNormal = "error",
) -> Surface:
    """The surface of a mesh, in double precision.

    strict: coincident vertices and degenerate faces are errors too.
    Raises `InvalidMesh` and `InvalidInput`, see section "Bad input" of the documentation.
    """
    check_positions(pos)
    check_faces(face, len(pos))
    pos, face = pos.double(), face.long()
    found = find_coincident(pos) if weld or strict else None
    _refuse_coincident(pos, found, strict)
    coincident = 0
    if found is not None:
        coincident = len(pos) - len(found[0])
        pos, face = pos[found[0]], found[1][face]
    edges = tabulate_edges(face, len(pos))
    face, flipped, crowded = orient(pos, face, edges, strict=strict)
    triangles = measure_triangles(pos, face)
    degenerate = int(triangles.degenerate.sum())
    if strict and degenerate:
        first = int(triangles.degenerate.nonzero()[0])
        raise InvalidMesh(f"face {first} has no area ({degenerate} such faces)")
    normal, missing = vertex_normals(face, triangles, len(pos), normals)
    target, source = edges.two_way(len(pos))
    fitted = int(missing.sum())
    normal = fit_normals(pos, normal, missing, target, source, on_zero_normal)
    used = torch.zeros(len(pos), dtype=torch.bool, device=pos.device)
    used[face.flatten()] = True
    summary = MeshSummary(
        vertices=len(pos),
        faces=face.shape[1],
        edges=len(target),
        coincident=coincident,
        unreferenced=int((~used).sum()),
        degenerate_faces=degenerate,
        flipped_faces=flipped,
        crowded_edges=crowded,
        fitted_normals=fitted,
    )
    return Surface(
        pos,
        face,
        normal,
        vertex_areas(triangles.area, face, len(pos)),
        used,
        edges.boundary(len(pos)),
        target,
        source,
        None if found is None else found[1],
        summary,
    )


def _refuse_coincident(pos: Tensor, found: tuple[Tensor, Tensor] | None, strict: bool) -> None:
    if not strict or found is None:
        return
    kept, place = found
    rest = torch.ones(len(pos), dtype=torch.bool, device=pos.device)
    rest[kept] = False
    second = int(rest.nonzero()[0])
    raise InvalidMesh(
        f"vertices {int(kept[place[second]])} and {second} are at the same place, "
        f"{pos[second].tolist()} ({int(rest.sum())} such vertices)"
    )
