"""Settings of the networks. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from annotated_types import Ge, Gt, Le, Len

__all__ = ["EXTENSIVE", "DepthwiseConfig", "DipoleReadout"]

EXTENSIVE: Final = (
    "energy",
    "atomization_energy",
    "polarizability_mean",
    "alpha",
    "r2",
    "zpve",
    "U0",
    "U",
    "H",
    "G",
    "Cv",
)
"""Names of graph scalars that grow with the molecule: summed over atoms, others averaged."""

DipoleReadout = Literal["auto", "scalar", "charge", "vector", "charge+vector"]


@dataclass(frozen=True, kw_only=True)
class DepthwiseConfig:
    """The depthwise network.

    lmax: largest angular order of features and filters; 0 sees distances only.
    channels: features of every order. layers: convolutions.
    cutoff: in angstrom; atoms farther apart do not see each other.
    radial_basis: number of Bessel functions. radial_hidden: widths of the radial network.
    radial: how the radial networks are evaluated. "exact": on every edge. "table": on knots, and
        interpolated, which is much faster and as precise as float32 (relative error below 1e-5 of
        weights, 1e-4 of their slopes, watched while it learns). "auto": "table" for float32 on a
        CPU with a C++ compiler, which compiles kernels once at first use, and "exact" otherwise.
        The choice does not depend on the batch, nor does a molecule's result.
    parity: keep only paths of natural parity, (-1)^l, which makes the network equivariant to
        reflections too. False keeps all paths and gives up reflections: SE(3) only.
    dipole_readout: how a dipole vector is formed. "vector": sum of atomic vectors (needs lmax of
        1 or more); "charge": sum of charge times position; "charge+vector": both, the form of
        tight-binding dipoles; "auto": "vector", or "charge" where lmax is 0. For the length of a
        dipole (a target named `dipole_magnitude` or `mu`) the same, and "scalar": a sum of atomic
        numbers.
    total_charge: of every molecule, in e; the atomic charges of the charge read-out are shifted
        to sum to it.
    pooling: how atomic numbers make a graph scalar: "sum" for extensive targets, "mean" for
        intensive ones; "auto" sums for those named in `extensive`.
    energy_weight, force_weight: of the loss w_E (dE/n)^2 + w_F |dF|^2 / 3n of a run that learns
        energy and forces (eV, eV/angstrom, n atoms).
    """

    lmax: Annotated[int, Ge(0), Le(3)] = 1
    channels: Annotated[int, Ge(1)] = 32
    layers: Annotated[int, Ge(1)] = 3
    cutoff: Annotated[float, Gt(0)] = 5.0
    radial_basis: Annotated[int, Ge(1)] = 8
    radial_hidden: Annotated[tuple[Annotated[int, Ge(1)], ...], Len(1)] = (64, 64)
    radial: Literal["auto", "exact", "table"] = "auto"
    parity: bool = True
    dipole_readout: DipoleReadout = "auto"
    total_charge: float = 0.0
    pooling: Literal["auto", "sum", "mean"] = "auto"
    extensive: tuple[str, ...] = EXTENSIVE
    energy_weight: Annotated[float, Ge(0)] = 1.0
    force_weight: Annotated[float, Ge(0)] = 10.0
