"""`embedded-digits`: handwritten digits on grids that are bent in space, more or less roughly.

The protocol of de Haan et al. (arXiv 2003.05425) with scikit-learn's 8 x 8 digits, which the extra
`digits` installs: images are drawn on a square grid whose vertices are displaced along the normal
by noise smoothed with a Gaussian of 3 - roughness grid steps; training and test geometries differ.
A demonstration only: it does not separate models that see directions from those that do not.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.data import Dataset
from intertwiner.data.splits import random_split
from intertwiner.errors import RunError
from intertwiner_gauge_mesh.datasets.config import RoughDigitsConfig

__all__ = ["load", "rough_grid", "synthetic"]

_HEIGHT = 0.6
"""Standard deviation of the displacement in grid steps, before it is made smooth."""
_SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}
Images = tuple[NDArray[np.float64], NDArray[np.int64]]


def load(config: RoughDigitsConfig) -> Dataset:
    """The dataset. Raises `RunError` when scikit-learn, which holds the images, is missing."""
    try:
        source = importlib.import_module("sklearn.datasets")
    except ModuleNotFoundError as error:
        raise RunError(
            "embedded-digits needs the images of scikit-learn: install "
            "'intertwiner-gauge-mesh[digits]'"
        ) from error
    found = source.load_digits()
    return _dataset(config, (found.images[: config.digits] / 16.0, found.target[: config.digits]))


def synthetic(count: int, seed: int) -> Dataset:
    """Squares and bars of ten sizes in place of digits: same schema, no dependency."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    images = 0.1 * draw.random((count, 8, 8))
    for image, label in zip(images, labels, strict=True):
        image[1 : 2 + label % 5, 1 : 2 + (6 if label < 5 else label % 5)] += 0.9
    config = RoughDigitsConfig(size=8, geometries=2, digits=20)
    return _dataset(config, (images, labels), seed)


def _dataset(config: RoughDigitsConfig, images: Images, seed: int = 0) -> Dataset:
    splits = {"random": random_split(len(images[0]), _SHARES, seed)}
    is_test = np.zeros(len(images[0]), dtype=bool)
    is_test[splits["random"]["test"]] = True
    return Dataset(_Records(config, images, is_test, seed), splits)


class _Records(Sequence[Data]):
    """An image on one of the geometries of its part."""

    def __init__(
        self, config: RoughDigitsConfig, images: Images, is_test: NDArray[np.bool_], seed: int
    ) -> None:
        self.images, self.labels = images
        self.is_test = is_test
        self.size = config.size
        self.face = _grid_faces(config.size)
        rough = config.roughness if config.test_roughness is None else config.test_roughness
        self.grids = [
            [
                rough_grid(config.size, roughness, seed * 10_000 + start + number)
                for number in range(config.geometries)
            ]
            for start, roughness in ((0, config.roughness), (5_000, rough))
        ]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Data:  # type: ignore[override]
        grids = self.grids[int(self.is_test[index])]
        image = zoom(self.images[index], self.size / len(self.images[index]), order=1)
        return Data(
            pos=grids[index % len(grids)],
            face=self.face,
            ink=torch.from_numpy(image.reshape(-1).astype(np.float32)),
            digit=torch.tensor([int(self.labels[index])]),
            name=f"digit {index}",
            num_nodes=self.size**2,
        )


def rough_grid(size: int, roughness: float, seed: int) -> Float[Tensor, "vertices 3"]:
    """Vertices of a `size` x `size` grid of unit steps, displaced along z; 0 is flat."""
    steps = np.arange(size, dtype=np.float64)
    x, y = np.meshgrid(steps, steps, indexing="ij")
    noise = np.random.default_rng(seed).standard_normal((size, size))
    smooth = gaussian_filter(noise, 3.0 - roughness, mode="nearest")
    z = _HEIGHT * smooth / max(float(smooth.std()), 1e-9) * min(1.0, roughness)
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(np.float32)
    return torch.from_numpy(points)


def _grid_faces(size: int) -> Int[Tensor, "3 faces"]:
    corner = torch.arange(size * size).reshape(size, size)
    a, b, c, d = (
        corner[i : size - 1 + i, j : size - 1 + j].reshape(-1)
        for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))
    )
    faces = torch.cat([torch.stack([a, b, c]), torch.stack([a, c, d])], 1)
    return faces.contiguous()
