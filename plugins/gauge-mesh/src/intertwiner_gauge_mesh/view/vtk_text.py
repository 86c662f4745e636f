"""A mesh with fields as a legacy VTK file of text, which most programs open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import Data

from intertwiner_gauge_mesh.view.fields import Layer

__all__ = ["vtk_text"]


def vtk_text(record: Data, layers: Mapping[str, Layer]) -> bytes:
    """The content of the file: points, triangles, and colours and vectors of every layer."""
    points = record.pos.detach().cpu().double().numpy()
    faces = record.face.T.cpu().numpy()
    lines = [
        "# vtk DataFile Version 3.0",
        " ".join(str(record.get("name", "mesh")).split())[:200] or "mesh",
        "ASCII",
        "DATASET POLYDATA",
        f"POINTS {len(points)} double",
        *_rows(points),
        f"POLYGONS {len(faces)} {4 * len(faces)}",
        *(f"3 {a} {b} {c}" for a, b, c in faces.tolist()),
        f"POINT_DATA {len(points)}",
    ]
    for name, layer in layers.items():
        word = "_".join(name.split())
        lines += [f"SCALARS {word} double 1", "LOOKUP_TABLE default", *_rows(layer.colour[:, None])]
        if layer.vectors is not None:
            lines += [f"VECTORS {word}_vectors double", *_rows(layer.vectors)]
    return ("\n".join(lines) + "\n").encode()


def _rows(values: NDArray[np.float64]) -> Iterator[str]:
    return (" ".join(f"{value:.9g}" for value in row) for row in values.tolist())
