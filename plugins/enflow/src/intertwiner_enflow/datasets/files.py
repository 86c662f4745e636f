"""A user's own frames, tested before they are believed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner.errors import DataError
from intertwiner_enflow.targets import LennardJones, Target
from intertwiner_enflow.targets.base import centred
from intertwiner_enflow.targets.lennard_jones import Pair

__all__ = ["pair_convention", "read_frames"]

_FITS: Final = 4.0
_DIFFERS: Final = 2.0
"""Standard errors by which a virial may be off, and by which the other convention's must be."""


def read_frames(path: Path, target: Target) -> Float[Tensor, "frames N D"]:
    """The frames of a `.npy` file, `[frames, N D]` or `[frames, N, D]`, centred.

    Raises `DataError` when it cannot be read, has another shape or coordinates that are not
    finite, or when its virial is not that of `target`: the message has it under both conventions.
    """
    try:
        stored = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as reason:
        raise DataError(f"{path}: cannot be read as a npy file ({reason})") from reason
    size = target.particles * target.dimension
    if not isinstance(stored, np.ndarray) or not stored.ndim or stored[0].size != size:
        seen = list(getattr(stored, "shape", []))
        raise DataError(
            f"{path}: shape {seen}, expected [frames, {target.particles}, {target.dimension}]"
        )
    x = torch.from_numpy(stored.astype(np.float32))
    x = x.reshape(-1, target.particles, target.dimension)
    wrong = ~torch.isfinite(x).flatten(1).all(dim=1)
    if bool(wrong.any()):
        raise DataError(f"{path}: frame {int(wrong.nonzero()[0])} is not finite")
    x = centred(x)
    fits = _misfit(target, x) <= _FITS
    if isinstance(target, LennardJones):
        fits = fits and pair_convention(x) == target.pair
    if not fits:
        raise DataError(
            f"{path}: not samples of {target.name} at kT = 1: the virial should be "
            f"{target.dof}; {_described(target, x)}"
        )
    return x


def pair_convention(x: Float[Tensor, "frames N 3"]) -> Pair:
    """Whether Lennard-Jones frames count pairs once or twice, by their virial.

    Raises `DataError` when neither fits, or there are too few frames to tell.
    """
    half, double = (LennardJones(x.shape[1], pair=pair) for pair in get_args(Pair))
    misfits = {one.pair: _misfit(one, x) for one in (half, double)}
    best, other = sorted(misfits, key=lambda pair: misfits[pair])
    if misfits[best] > _FITS or misfits[other] < _DIFFERS:
        raise DataError(
            f"{len(x)} frames do not tell their convention: the virial should be {half.dof}; "
            f"{_described(half, x)}; give more frames, or equilibrium ones at kT = 1"
        )
    return best


def _misfit(target: Target, x: Tensor) -> float:
    """Standard errors between the virial and the degrees of freedom."""
    value, error = _virial(target, x)
    return abs(value - target.dof) / error


def _virial(target: Target, x: Tensor) -> tuple[float, float]:
    """Its mean over frames and standard error."""
    values = target.virial(x.double())
    return float(values.mean()), float(values.std()) / math.sqrt(len(values))


def _described(target: Target, x: Tensor) -> str:
    if not isinstance(target, LennardJones):
        return _shown(target, x)
    conventions = [LennardJones(target.particles, pair=pair) for pair in get_args(Pair)]
    return ", ".join(f"{_shown(one, x)} under {one.pair!r}" for one in conventions)


def _shown(target: Target, x: Tensor) -> str:
    value, error = _virial(target, x)
    return f"virial {value:.2f} +- {error:.2f}"
