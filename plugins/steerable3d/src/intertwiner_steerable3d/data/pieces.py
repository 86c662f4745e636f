"""The eight Tetris pieces in space, turned and drawn as volumes."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner.kernels import dispatch

__all__ = ["PIECES", "blobs", "cubes"]

PIECES: Final[dict[str, tuple[str, ...]]] = {
    "chiral": ("000", "001", "100", "110"),
    "mirrored": ("010", "011", "110", "100"),
    "square": ("000", "100", "010", "110"),
    "line": ("000", "001", "002", "003"),
    "corner": ("000", "001", "010", "100"),
    "L": ("000", "001", "002", "010"),
    "T": ("000", "001", "002", "011"),
    "zigzag": ("000", "100", "110", "210"),
}
"""Lattice places of the four cubes of each piece (Weiler et al. 2018, section 5.1)."""

_ZOOM: Final = 5
_MARGIN: Final = 8


def corners(piece: str) -> Float[Tensor, "4 3"]:
    """Places of the four cubes, in edges of a cube."""
    digits = [[float(digit) for digit in place] for place in PIECES[piece]]
    return torch.tensor(digits, dtype=torch.float64)


def blobs(
    piece: str,
    rotation: Float[Tensor, "3 3"],
    shift: Float[Tensor, " 3"],
    *,
    side: int,
    spacing: float,
    sigma: float,
) -> Float[Tensor, "1 1 side side side"]:
    """Every cube a Gaussian at its turned place: no interpolation, whatever the rotation.

    spacing: of the cubes; sigma, shift: of the Gaussians and of the piece; all in voxels.
    """
    centred = corners(piece)
    centred = centred - centred.mean(dim=0)
    places = spacing * centred @ rotation.double().T + shift + (side - 1) / 2
    given = (places, torch.ones(4), torch.full((4, 3), sigma))
    run = dispatch("voxelise", places.device, torch.float32)
    single = [item.float() for item in given]
    channel, ptr = torch.zeros(4, dtype=torch.int64), torch.tensor([0, 4])
    volume: Tensor = run(*single, channel, ptr, 1, (side,) * 3, 5.0)
    return volume


def cubes(piece: str, rotation: Float[Tensor, "3 3"]) -> Float[Tensor, "1 1 36 36 36"]:
    """As in the paper: cubes of 5 voxels in a box of 36, turned by cubic splines about its centre.

    Needs scipy.
    """
    from scipy import ndimage

    box = np.zeros((4, 4, 4))
    for x, y, z in corners(piece).long().tolist():
        box[x, y, z] = 1
    volume = np.pad(box.repeat(_ZOOM, 0).repeat(_ZOOM, 1).repeat(_ZOOM, 2), _MARGIN)
    matrix = rotation.double().numpy()
    centre = (np.array(volume.shape) - 1) / 2
    offset = centre - matrix.T @ centre
    turned = ndimage.affine_transform(volume, matrix.T, offset, order=3)
    return torch.from_numpy(turned).float()[None, None]
