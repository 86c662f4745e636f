"""What is drawn of a field: colours, arrows, lines without heads, or classes, in plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertwiner.errors import DataError
from intertwiner_gauge_mesh.layers.ambient import from_irreps

__all__ = ["KINDS", "Kind", "Layer", "difference", "layer_of"]

Kind = Literal["scalar", "arrows", "lines", "classes"]
KINDS: Final = ("scalar", "arrows", "lines", "classes")
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """colour [v] of every vertex; vectors [v, 3] where arrows or lines are drawn, else None.

    heads: arrows have them; lines run both ways from the vertex.
    """

    colour: Array
    vectors: Array | None = None
    heads: bool = False
    classes: bool = False


def layer_of(kind: Kind, values: Tensor, vertices: int) -> Layer:
    """scalar [v]; arrows: vectors in space [v, 3]; lines: symmetric tensors as irreps, [v, 5] or
    [v, 6], drawn along the eigenvector of the largest eigenvalue; classes [v].

    Raises `DataError` for values of another shape.
    """
    found = values.detach().cpu().double()
    shapes = {"scalar": (1,), "classes": (1,), "arrows": (3,), "lines": (5, 6)}
    width = 1 if found.ndim == 1 else found.shape[1]
    if kind not in KINDS or len(found) != vertices or width not in shapes[kind]:
        raise DataError(
            f"{kind} of shape {list(found.shape)} cannot be drawn on {vertices} vertices; "
            f"there are {', '.join(KINDS)}"
        )
    if kind in ("scalar", "classes"):
        return Layer(found.reshape(-1).numpy(), classes=kind == "classes")
    if kind == "arrows":
        return Layer(found.norm(dim=1).numpy(), found.numpy(), heads=True)
    return _lines(found)


def _lines(irreps: Tensor) -> Layer:
    """Along the largest curvature, as long as the two curvatures differ."""
    full = irreps if irreps.shape[1] == 6 else torch.nn.functional.pad(irreps, (1, 0))
    values, vectors = torch.linalg.eigh(from_irreps(full))
    size = (values[:, 2] - values[:, 0]) / 2
    return Layer(size.numpy(), (vectors[:, :, 2] * size[:, None]).numpy())


def difference(truth: Layer, predicted: Layer, raw: tuple[Tensor, Tensor]) -> Layer:
    """How far the prediction is off at every vertex; 1 where a class is wrong.

    raw: the values the layers were made of.
    """
    if truth.classes:
        return Layer((truth.colour != predicted.colour).astype(np.float64), classes=True)
    first, second = (values.detach().cpu().double() for values in raw)
    off = (second - first).reshape(len(first), -1).norm(dim=1)
    return Layer(off.numpy())
