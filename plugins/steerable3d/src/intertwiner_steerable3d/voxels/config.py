"""Settings of the adapters to volumes. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Interval

__all__ = ["AtomsToVoxels", "ComplexToVoxels"]

Positive = Annotated[float, Gt(0)]
Side = Annotated[int, Interval(ge=1, le=128)]


@dataclass(frozen=True, kw_only=True)
class AtomsToVoxels:
    """side: voxels along an edge; step: their distance, sigma: of the Gaussians, in angstrom."""

    side: Side = 25
    step: Positive = 0.6
    sigma: Positive = 0.6


@dataclass(frozen=True, kw_only=True)
class ComplexToVoxels:
    """As for atoms, with a grid for what lies around a ligand."""

    side: Side = 25
    step: Positive = 1.0
    sigma: Positive = 1.0
