"""Which radial functions a kernel is made of. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from intertwiner_steerable3d.errors import InvalidSetting

__all__ = ["BAND_LIMITS", "PAPER", "BandLimit", "BasisKind", "BasisSettings"]

BasisKind = Literal["optimal", "shells", "solid"]
BandLimit = Literal["compromise", "conservative", "sfcnn"]

BAND_LIMITS: Final[dict[str, int]] = {"conservative": 0, "compromise": 1, "sfcnn": 2}
"""The paper's limits: shell m > 0 has harmonics up to 2m plus this number, shell 0 only order 0."""


@dataclass(frozen=True, slots=True)
class BasisSettings:
    """The family of radial functions and what it admits.

    kind: `optimal` (least error under rotation on the lattice), `shells` (the paper's Gaussian
        shells), `solid` (solid harmonics times a Gaussian). band_limit: of `shells`.
    tau: `optimal` admits profiles whose relative error under rotation is at most this.
    blur: standard deviation, in voxels (along their longest edge), of the Gaussian by which
        `optimal` expects its input to be blurred.
    parity: fields of order l have parity (-1)^l, and kernels commute with reflections as well.

    Raises `InvalidSetting` where a value is unknown or out of range.
    """

    kind: BasisKind = "optimal"
    band_limit: BandLimit = "compromise"
    tau: float = 0.06
    blur: float = 1.0
    parity: bool = False

    def __post_init__(self) -> None:
        """Refuses what has no meaning."""
        if self.kind not in ("optimal", "shells", "solid"):
            raise InvalidSetting(f"basis {self.kind!r}: use optimal, shells or solid")
        if self.band_limit not in BAND_LIMITS:
            known = ", ".join(BAND_LIMITS)
            raise InvalidSetting(f"band_limit {self.band_limit!r}: use one of {known}")
        if not 0 < self.tau <= 2**0.5:
            raise InvalidSetting(f"tau {self.tau}: an error lies above 0 and up to sqrt(2)")
        if not self.blur > 0:
            raise InvalidSetting(f"blur {self.blur} voxels: it must be above 0")

    def __str__(self) -> str:
        """For messages and checkpoints."""
        limit = {"shells": self.band_limit, "optimal": f"tau {self.tau:g}, blur {self.blur:g}"}
        inside = [limit[self.kind]] if self.kind in limit else []
        return f"{self.kind}({', '.join(inside + ['parity'] * self.parity)})"


PAPER: Final = BasisSettings(kind="shells", band_limit="compromise")
"""The basis of the paper's networks."""
