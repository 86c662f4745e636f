"""One winding for the whole surface, where there is one.

Two faces that share an edge agree when they run along it in opposite directions. Every face is
put twice into a graph, as it is and flipped; a surface is orientable when no face is connected
with its own flipped copy.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from intertwiner_gauge_mesh.errors import InvalidMesh, MeshWarning
from intertwiner_gauge_mesh.geometry.edges import EdgeTable, half_edges

__all__ = ["orient"]

NOT_ORIENTABLE = "surface is non-orientable: parallel transport by SO(2) is undefined"


def orient(
    pos: Float[Tensor, "vertices 3"],
    face: Int[Tensor, "3 faces"],
    edges: EdgeTable,
    *,
    strict: bool = False,
) -> tuple[Int[Tensor, "3 faces"], int, int]:
    """(faces of one winding, how many were flipped, edges with more than two faces).

    In every component the fewer faces are flipped, with a `MeshWarning`. Edges with more than two
    faces do not tell how their faces go together, and are warned of.
    Raises `InvalidMesh` for a Möbius strip or Klein bottle, and with `strict` for anything above.
    """
    first, second, agree, crowded = _adjacent_faces(face, edges)
    if crowded:
        _tell(f"{crowded} edges have more than two faces; each is kept once", strict)
    if bool(agree.all()):
        return face, 0, crowded
    flip = _flips(first, second, agree, face.shape[1], _volumes(pos, face))
    flipped = int(flip.sum())
    _tell(f"{flipped} of {face.shape[1]} faces wind the other way; they are flipped", strict)
    return torch.where(flip.to(face.device), face.flip(0), face), flipped, crowded


def _tell(text: str, strict: bool) -> None:
    if strict:
        raise InvalidMesh(f"{text} unless strict")
    warnings.warn(text, MeshWarning, stacklevel=4)


def _adjacent_faces(
    face: Int[Tensor, "3 faces"], edges: EdgeTable
) -> tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"], Bool[Tensor, " pairs"], int]:
    """(face, its neighbour, whether they agree) for edges of two faces; edges of more."""
    start, end = half_edges(face)
    forward = start < end
    begin = edges.start[edges.faces == 2]
    one, two = edges.order[begin], edges.order[begin + 1]
    first, second = (torch.div(half, 3, rounding_mode="floor") for half in (one, two))
    return first, second, forward[one] != forward[two], int((edges.faces > 2).sum())


def _volumes(
    pos: Float[Tensor, "vertices 3"], face: Int[Tensor, "3 faces"]
) -> Float[Tensor, " faces"]:
    """Signed volume of the tetrahedron that each face spans with the centre."""
    a, b, c = (pos - pos.mean(0))[face]
    return (torch.linalg.cross(a, b) * c).sum(-1)


def _flips(
    first: Tensor, second: Tensor, agree: Tensor, faces: int, volumes: Tensor
) -> Bool[Tensor, " faces"]:
    one, two, same, volume = (
        item.detach().cpu().numpy() for item in (first, second, agree, volumes)
    )
    other = np.where(same, two, two + faces)
    opposite = np.where(same, two + faces, two)
    rows, columns = np.concatenate([one, one + faces]), np.concatenate([other, opposite])
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(2 * faces, 2 * faces))
    count, label = connected_components(graph, directed=False)
    if bool((label[:faces] == label[faces:]).any()):
        raise InvalidMesh(NOT_ORIENTABLE)
    return torch.from_numpy(_minority(label, count, faces, volume))


def _minority(
    label: NDArray[np.int32], count: int, faces: int, volume: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Faces to flip. Each component occurs twice, once flipped; the copy with more faces as they
    are is kept, for equal numbers the one of larger volume."""
    kept = np.bincount(label[:faces], minlength=count)
    turned = np.bincount(label[faces:], minlength=count)
    size = np.bincount(label, np.concatenate([volume, -volume]), minlength=count)
    wins = (kept > turned) | ((kept == turned) & (size > 0))
    one, two = label[:faces], label[faces:]
    tied = ~wins[one] & ~wins[two]
    flip: NDArray[np.bool_] = np.where(tied, one > two, ~wins[one])
    return flip
