"""LJ13, LJ55: clusters of Lennard-Jones particles held together by an oscillator."""

from __future__ import annotations

from typing import Final, Literal, get_args

from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.targets.base import Known, Target

__all__ = ["KNOWN", "LennardJones", "Pair"]

Pair = Literal["half", "double"]
_SOURCE: Final = "annealed SMC with HMC (intertwiner_enflow.generators), seeds pooled"

KNOWN: Final[dict[tuple[int, str], tuple[Known, Known]]] = {
    (13, "half"): (Known(39.247, 0.006, _SOURCE), Known(0.571, 0.015, _SOURCE)),
    (13, "double"): (Known(59.862, 0.006, _SOURCE), Known(-42.937, 0.016, _SOURCE)),
    (55, "half"): (Known(203.88, 0.06, _SOURCE), Known(-48.86, 0.20, _SOURCE)),
    (55, "double"): (Known(384.00, 0.05, _SOURCE), Known(-325.51, 0.14, _SOURCE)),
}
"""(particles, convention) -> ln Z, <U>."""


class LennardJones(Target):
    """U = w sum_{i<j} (d^-12 - 2 d^-6) + 1/2 sum_i |x_i - mean|^2 in three dimensions.

    Depth and place of the minimum of a pair are 1, the oscillator constant is 1 (Köhler, Klein,
    Noé 2020, arXiv:2006.02425). Two targets are in circulation under the one name: pairs counted
    once (`pair="half"`, w = 1) or, summed over ordered pairs, twice (`pair="double"`, w = 2).

    softening: d = sqrt(r^2 + softening), as some public code has it (1e-6); the constants are
    those of 0.

    Raises `TypeError` when `pair` is missing or is neither.
    """

    dimension: int = 3
    oscillator: float = 1.0

    def __init__(
        self, particles: int = 13, *, pair: Pair | None = None, softening: float = 0.0
    ) -> None:
        if pair is None or pair not in get_args(Pair):
            raise TypeError(f"lj{particles}: {_remedy(particles)}, not {pair!r}")
        self.name = f"lj{particles}-{pair}"
        self.particles = particles
        self.pair = pair
        self.weight = 1.0 if pair == "half" else 2.0
        self.softening = softening
        if not softening and (particles, pair) in KNOWN:
            self.log_z, self.mean_energy = KNOWN[particles, pair]

    def pair_terms(
        self, r2: Float[Tensor, "*pairs"]
    ) -> tuple[Float[Tensor, "*pairs"], Float[Tensor, "*pairs"]]:
        """u = w s (s - 2) with s = d^-6, +inf at d = 0; du/d(r^2) = 6 w s (1 - s) / d^2."""
        inverse = (r2 + self.softening).reciprocal()
        s = inverse * inverse * inverse
        return self.weight * s * (s - 2.0), 6.0 * self.weight * s * (1.0 - s) * inverse


def _remedy(particles: int) -> str:
    floors = [
        f"{KNOWN[particles, pair][0].value + KNOWN[particles, pair][1].value:.3f}"
        for pair in get_args(Pair)
        if (particles, pair) in KNOWN
    ]
    known = f" (floors {' and '.join(floors)})" if floors else ""
    return f"state pair='half' or 'double'{known}"
