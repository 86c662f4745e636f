"""DW4: four particles in the plane, every pair in a double well."""

from __future__ import annotations

from typing import ClassVar, Final

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.targets.base import Known, Target

__all__ = ["DoubleWell"]

_QUADRATURE: Final = "quadrature (intertwiner_enflow.targets.quadrature)"


class DoubleWell(Target):
    """U = sum_{i<j} 0.9 (d - 4)^4 - 4 (d - 4)^2 (Köhler, Klein, Noé 2020, arXiv:2006.02425).

    Wells at d = 4 -+ 1.4907 of depth 4.444, barrier at d = 4. ln Z and <U> are exact. This
    potential has one convention only.

    softening: d = sqrt(r^2 + softening), as some public code has it (1e-6); the constants are
    those of 0.
    """

    particles: int = 4
    dimension: int = 2
    oscillator: float = 0.0
    short_counts: ClassVar[tuple[float, ...]] = (
        5e-11,
        0.000947,
        0.517664,
        0.034755,
        0.406380,
        0.039647,
        0.000607,
    )
    """Probability of 0, 1, ... 6 pairs with d < 4, by the quadrature (within 2e-5)."""
    short_share: ClassVar[float] = 0.49466
    """Probability that a given pair has d < 4."""

    def __init__(self, softening: float = 0.0) -> None:
        self.name = "dw4"
        self.softening = softening
        if not softening:
            self.log_z = Known(29.66723223, 0.0, _QUADRATURE)
            self.mean_energy = Known(-22.54150960, 0.0, _QUADRATURE)

    def pair_terms(
        self, r2: Float[Tensor, "*pairs"]
    ) -> tuple[Float[Tensor, "*pairs"], Float[Tensor, "*pairs"]]:
        """u and du/d(r^2) = (3.6 s^3 - 8 s) / 2d with s = d - 4; slope 0 at d = 0."""
        distance = (r2 + self.softening).sqrt()
        shift = distance - 4.0
        square = shift.square()
        energy = square * (0.9 * square - 4.0)
        slope = shift * (1.8 * square - 4.0) / distance.clamp(min=1e-12)
        return energy, torch.where(distance > 0, slope, torch.zeros_like(slope))
