"""Every number the data set depends on, and the hash that stands in for a random generator."""

import hashlib
from dataclasses import dataclass, field

SCRIPT_VERSION = 1
"""Raised whenever a change to this folder changes the generated file."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The constants of one data set; two equal recipes give the same file."""

    seed: int = 20_261_122
    exhaustive_heavy_atoms: int = 5
    """Up to this many heavy atoms every molecule that passes the filters is a candidate."""
    sampled_candidates: dict[int, int] = field(default_factory=lambda: {6: 1_000, 7: 1_750})
    """Heavy atoms -> how many candidates are drawn from that level."""
    sampled_parents: dict[int, int] = field(default_factory=lambda: {7: 300})
    """Heavy atoms -> from how many molecules one atom smaller that level is grown."""
    largest_gradient_eV_per_A: float = 0.02
    """A geometry is optimised when no Cartesian gradient component exceeds this."""
    bond_radius_factor: float = 1.25
    """Two atoms are bonded when closer than this times the sum of their covalent radii."""
    displacement_sigma_A: tuple[float, float] = (0.01, 0.05)
    """Range of the uniform distribution of the per-molecule displacement width."""
    position_step_A: float = 0.0005
    largest_force_eV_per_A: float = 30.0
    """A displaced geometry with a larger force component is left out (int16 holds 32.767)."""
    field_step_au: float = 1e-3
    """Electric field of the central differences behind the polarizability."""
    label_accuracy: float = 0.01
    """tblite's SCF threshold factor for labels; the optimiser uses tblite's default of 1."""

    @property
    def heavy_atoms(self) -> int:
        """Number of heavy atoms of the largest level."""
        return max((self.exhaustive_heavy_atoms, *self.sampled_candidates))


def keyed_hash(seed: int, purpose: str, text: str) -> int:
    """Return a 256-bit integer that depends on its three arguments alone.

    Sorting by it is a seeded permutation that, unlike a generator's shuffle, does not change with
    the library's version or with which other items are in the list.
    """
    digest = hashlib.sha256(f"{seed}:{purpose}:{text}".encode()).digest()
    return int.from_bytes(digest, "big")
