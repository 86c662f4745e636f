"""The datasets `dw4`, `lj13` and `lj55`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from intertwiner.data import Dataset
from intertwiner.data.splits import random_split
from intertwiner.errors import ConfigError
from intertwiner_enflow.datasets.config import LennardJonesConfig, ParticlesConfig
from intertwiner_enflow.datasets.excerpt import excerpt
from intertwiner_enflow.datasets.frames import Frames
from intertwiner_enflow.datasets.store import samples
from intertwiner_enflow.targets import LennardJones, Target, target_named

__all__ = [
    "load_dw4",
    "load_lj13",
    "load_lj55",
    "synthetic_dw4",
    "synthetic_lj13",
    "synthetic_lj55",
    "tensors",
]

_FRACTIONS = {"train": 0.6, "validation": 0.1, "test": 0.3}
_PARTS = tuple(_FRACTIONS)


def load_dw4(config: ParticlesConfig) -> Dataset:
    """Four particles in the plane, every pair in a double well."""
    return _load(target_named("dw4"), config)


def load_lj13(config: LennardJonesConfig) -> Dataset:
    """13 Lennard-Jones particles. Raises `ConfigError` unless `config.pair` is given."""
    return _load(_cluster("lj13", config), config)


def load_lj55(config: LennardJonesConfig) -> Dataset:
    """55 Lennard-Jones particles. Raises `ConfigError` unless `config.pair` is given."""
    return _load(_cluster("lj55", config), config)


def synthetic_dw4(count: int, seed: int) -> Dataset:
    """Frames of the excerpt, turned at random."""
    return _synthetic(target_named("dw4"), count, seed)


def synthetic_lj13(count: int, seed: int) -> Dataset:
    """Frames of the excerpt with pairs counted once, turned at random."""
    return _synthetic(LennardJones(13, pair="half"), count, seed)


def synthetic_lj55(count: int, seed: int) -> Dataset:
    """Frames of the excerpt with pairs counted once, turned at random."""
    return _synthetic(LennardJones(55, pair="half"), count, seed)


def tensors(
    target: Target, config: ParticlesConfig
) -> Mapping[str, Float[Tensor, "frames particles dim"]]:
    """part -> centred configurations, for loops that need no records."""
    if config.source == "excerpt":
        x = excerpt(target)
        return {part: x[numbers] for part, numbers in _split(len(x), config.seed).items()}
    dataset = f"enflow/{target.name.partition('-')[0]}"
    training = samples(target, dataset, config.train, 2 * config.seed)
    rest = samples(target, dataset, config.validation + config.test, 2 * config.seed + 1)
    validation, test = rest.split([config.validation, config.test])
    return {"train": training, "validation": validation, "test": test}


def _cluster(name: str, config: LennardJonesConfig) -> Target:
    try:
        return target_named(name, config.pair)
    except ConfigError as error:
        raise ConfigError(f"data.pair: {error}") from error


def _load(target: Target, config: ParticlesConfig) -> Dataset:
    parts = tensors(target, config)
    bounds = np.cumsum([0, *(len(parts[part]) for part in _PARTS)])
    split = {
        part: np.arange(bounds[number], bounds[number + 1], dtype=np.int64)
        for number, part in enumerate(_PARTS)
    }
    frames = Frames(target, torch.cat([parts[part] for part in _PARTS]))
    return Dataset(frames, {"random": split}, species=(0,))


def _synthetic(target: Target, count: int, seed: int) -> Dataset:
    generator = torch.Generator().manual_seed(seed)
    stored = excerpt(target)
    chosen = torch.randint(len(stored), (count,), generator=generator)
    shape = (count, target.dimension, target.dimension)
    frame, _ = torch.linalg.qr(torch.randn(shape, generator=generator))
    frames = Frames(target, stored[chosen] @ frame)
    return Dataset(frames, {"random": _split(count, seed)}, species=(0,))


def _split(count: int, seed: int) -> dict[str, NDArray[np.int64]]:
    return random_split(count, _FRACTIONS, seed)
