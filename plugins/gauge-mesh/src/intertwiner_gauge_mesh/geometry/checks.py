"""What a triangle mesh must be before anything is computed of it."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_gauge_mesh.errors import InvalidInput, InvalidMesh, WrongType

__all__ = ["check_faces", "check_finite", "check_positions", "check_rows"]


def check_positions(pos: Float[Tensor, "vertices 3"]) -> None:
    """Raises `InvalidMesh` or `WrongType` (both `ValueError` or `TypeError`) naming the vertex."""
    if pos.ndim != 2 or pos.shape[1] != 3:
        raise InvalidMesh(f"positions have shape {list(pos.shape)}: they must be [vertices, 3]")
    if not pos.is_floating_point():
        raise WrongType(f"positions are {pos.dtype}: they must be float32 or float64")
    check_finite("position", pos)


def check_finite(name: str, values: Float[Tensor, "vertices ..."]) -> None:
    """Raises `InvalidInput` naming the first vertex with a value that is not finite."""
    if bool(torch.isfinite(values).all()):
        return
    wrong = ~torch.isfinite(values.detach()).reshape(len(values), -1).all(1)
    vertex = int(wrong.nonzero()[0])
    raise InvalidInput(
        f"{name} of vertex {vertex} is {values[vertex].tolist()}, not finite "
        f"({int(wrong.sum())} such vertices)"
    )


def check_faces(face: Int[Tensor, "3 faces"], vertices: int) -> None:
    """Raises `InvalidMesh` naming the first face that is wrong."""
    if face.is_floating_point() or face.dtype == torch.bool:
        raise InvalidMesh(f"faces are {face.dtype}: they must be whole numbers of vertices")
    if face.ndim != 2 or face.shape[0] != 3:
        turned = "; they look transposed" if face.ndim == 2 and face.shape[1] == 3 else ""
        raise InvalidMesh(f"faces have shape {list(face.shape)}: they must be [3, faces]{turned}")
    if vertices == 0 or face.shape[1] == 0:
        raise InvalidMesh("mesh has no faces")
    outside = ((face < 0) | (face >= vertices)).any(0)
    if bool(outside.any()):
        first = int(outside.nonzero()[0])
        raise InvalidMesh(
            f"face {first} has corners {face[:, first].tolist()}, outside the {vertices} vertices "
            f"({int(outside.sum())} such faces)"
        )


def check_rows(name: str, values: Tensor, rows: int) -> None:
    """Raises `InvalidInput` unless `values` has one row for every vertex."""
    if values.ndim == 0 or len(values) != rows:
        raise InvalidInput(
            f"{name} has shape {list(values.shape)}: one row is needed for each of {rows} vertices"
        )
