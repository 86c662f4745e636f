"""Settings of the baselines. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

__all__ = ["BaselineConfig", "DiffusionConfig", "GcnConfig", "PointConfig"]


@dataclass(frozen=True, kw_only=True)
class BaselineConfig:
    """place: scalars that tell where a vertex is in the axes of its surface are inputs, too."""

    place: bool = False


@dataclass(frozen=True, kw_only=True)
class GcnConfig(BaselineConfig):
    """The isotropic graph network. rotate: turn every training batch at random, targets too."""

    channels: Annotated[int, Ge(1)] = 32
    layers: Annotated[int, Ge(1)] = 4
    rotate: bool = True


@dataclass(frozen=True, kw_only=True)
class PointConfig(BaselineConfig):
    """The equivariant point network of invariant messages.

    strong: messages also know (v_p.d)(u_q - u_p) / |d|^2 where a scalar u and a vector v are
        given, which is nearly the answer of the advection task.
    """

    channels: Annotated[int, Ge(1)] = 24
    layers: Annotated[int, Ge(1)] = 2
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class DiffusionConfig(BaselineConfig):
    """Blocks of learned diffusion. eigenpairs: of the cotangent Laplacian, per mesh, cached."""

    channels: Annotated[int, Ge(1)] = 24
    blocks: Annotated[int, Ge(1)] = 3
    eigenpairs: Annotated[int, Ge(4)] = 64
    signatures: Annotated[int, Ge(1)] = 12
