"""The discretisation error of single elements, basis by basis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from intertwiner_steerable3d.bases.radial import profiles
from intertwiner_steerable3d.bases.settings import BasisSettings

__all__ = ["BASES", "element_table"]

BASES: Final[Mapping[str, BasisSettings]] = {
    "optimal": BasisSettings(),
    "conservative": BasisSettings(kind="shells", band_limit="conservative"),
    "compromise": BasisSettings(kind="shells", band_limit="compromise"),
    "sfcnn": BasisSettings(kind="shells", band_limit="sfcnn"),
    "solid": BasisSettings(kind="solid"),
}
"""The default, the paper's shells with their three band limits, solid harmonics."""

HIGHEST: Final = 6


def element_table(
    sizes: tuple[int, ...] = (3, 5, 7),
) -> Iterator[tuple[str, int, int, list[float]]]:
    """(basis, kernel size, harmonic order, relative error of every admitted radial function).

    Errors are those of `bases.error`: input blurred by a Gaussian of 1 voxel, mean over rotations.
    """
    for size in sizes:
        for name, basis in BASES.items():
            for order in range(HIGHEST + 1):
                found = profiles(order, size, basis)
                if found:
                    yield name, size, order, [profile.error for profile in found]
