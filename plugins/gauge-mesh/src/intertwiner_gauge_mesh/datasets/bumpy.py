"""Bumpy spheres and tori: which shapes are in which part, and records made on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.data import Dataset
from intertwiner.data.dataset import PARTS
from intertwiner_gauge_mesh.datasets.config import BumpyConfig
from intertwiner_gauge_mesh.datasets.shapes import Meshing, Shape, random_shape

__all__ = ["Recipe", "bumpy_dataset", "face_index", "single"]

Recipe = tuple[Literal["sphere", "torus"], int, Meshing, int, int]
"""Kind, vertices, meshing, seed of the shape, and number of the record on it."""
_PARTS: Final = (*PARTS, "remeshed", "jittered")
_MESHED: Final[Mapping[str, Meshing]] = {"remeshed": "unseen", "jittered": "jittered"}
_APART: Final = 1_000_000
"""Seeds of different parts are this far apart."""


class _Records(Sequence[Data]):
    """Records that are made when asked for; shapes are kept while they are in use."""

    def __init__(
        self,
        recipes: Sequence[Recipe],
        make: Callable[[Shape, int, str], Data],
        shuffled: Mapping[int, int],
        targets: Sequence[str],
    ) -> None:
        self.recipes = recipes
        self.make = make
        self.shuffled = shuffled
        self.targets = targets
        self.shape = lru_cache(maxsize=4096)(random_shape)

    def __len__(self) -> int:
        return len(self.recipes)

    def __getitem__(self, index: int) -> Data:  # type: ignore[override]
        record = self._made(index)
        if index in self.shuffled:
            other = self._made(self.shuffled[index])
            rows = torch.arange(record.num_nodes) % other.num_nodes
            for name in self.targets:
                record[name] = other[name][rows]
        return record

    def _made(self, index: int) -> Data:
        kind, vertices, meshing, seed, number = self.recipes[index]
        shape = self.shape(kind, vertices, meshing, seed)
        return self.make(shape, 1000 * seed + number, f"{meshing} {kind} {seed}, {number}")


def bumpy_dataset(
    config: BumpyConfig,
    per_shape: tuple[int, int],
    make: Callable[[Shape, int, str], Data],
    targets: Sequence[str],
) -> Dataset:
    """The dataset with the splits "random" (unseen shapes), "remeshed" (the same test shapes with
    unseen triangulations) and "jittered" (with irregular ones).

    per_shape: records on every training shape, and on every other shape.
    make: (shape, seed, name) -> record. targets: names of its targets.
    """
    recipes: list[Recipe] = []
    rows: dict[str, Any] = {}
    for part in _PARTS:
        found = _recipes(config, part, per_shape[part != "train"])
        rows[part] = np.arange(len(recipes), len(recipes) + len(found))
        recipes += found
    seen = {part: rows[part] for part in PARTS}
    others = {name: {**seen, "test": rows[name]} for name in _PARTS[len(PARTS) :]}
    splits = {"random": seen, **others}
    count = len(rows["train"]) if config.shuffled else 0
    shuffled = {number: (number + per_shape[0]) % count for number in range(count)}
    return Dataset(_Records(recipes, make, shuffled, targets), splits)


def _recipes(config: BumpyConfig, part: str, per_shape: int) -> list[Recipe]:
    """Shapes of the parts "remeshed" and "jittered" are those of "test"."""
    count = config.training_shapes if part == "train" else config.other_shapes
    place = 3 * config.seed + min(_PARTS.index(part), 2)
    return [
        (_kind(config, number), config.vertices, _meshing(config, part, number), seed, record)
        for number, seed in enumerate(range(_APART * place, _APART * place + count))
        for record in range(per_shape)
    ]


def _kind(config: BumpyConfig, number: int) -> Literal["sphere", "torus"]:
    if config.shape == "both":
        return "torus" if number % 2 else "sphere"
    return config.shape


def _meshing(config: BumpyConfig, part: str, number: int) -> Meshing:
    if part in _MESHED:
        return _MESHED[part]
    if part != "train" or config.triangulation == "regular":
        return "regular"
    if config.triangulation == "both" and number // 2 % 2 == 0:
        return "regular"
    return "jittered"


def face_index(faces: Int[Tensor, "f 3"]) -> Int[Tensor, "3 f"]:
    """Faces as a record holds them."""
    return faces.T.contiguous()


def single(values: Float[Tensor, ...]) -> Float[Tensor, ...]:
    """In the precision that datasets have."""
    return values.to(torch.float32)
