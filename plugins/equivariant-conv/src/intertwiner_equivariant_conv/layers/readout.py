"""Read-outs: from atomic features to the properties of atoms and molecules.

Features are `[atoms, (lmax+1)^2, channels]`, rows by order as in `DepthwiseConvolution`. Every
read-out has a number that sets its unit (a buffer, taken from the training data by `calibrate`),
and a learned factor, one at the start, so that what is learned is of order one.
"""

from __future__ import annotations

from typing import Final, Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_equivariant_conv.calibration import Labels
from intertwiner_equivariant_conv.errors import InvalidSetting
from intertwiner_equivariant_conv.layers.atoms import Atoms

__all__ = [
    "DEBYE",
    "AtomScalar",
    "AtomScalarReadout",
    "DipoleReadout",
    "MagnitudeReadout",
    "PolarizabilityReadout",
    "Readout",
    "ScalarReadout",
]

DEBYE: Final = 4.80320471
"""One elementary charge times one angstrom, in debye."""


class Readout(Protocol):
    """What the network asks of a read-out. orders: of the features it reads."""

    spread: Tensor
    orders: tuple[int, ...]

    def __call__(self, features: Tensor, atoms: Atoms) -> Tensor: ...

    def calibrate(self, labels: Labels) -> None:
        """Sets unit, offsets and `spread`, the error of the best constant, from training data."""


class AtomScalar(nn.Module):
    """An invariant number for every atom: two biased layers, and a shift for each element."""

    def __init__(self, channels: int, elements: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(channels, channels), nn.SiLU(), nn.Linear(channels, 1)
        )
        self.shift = nn.Parameter(torch.zeros(elements))

    def forward(
        self, features: Float[Tensor, "atoms rows channels"], atoms: Atoms
    ) -> Float[Tensor, " atoms"]:
        value: Tensor = self.layers(features[:, 0]).squeeze(1)
        return value + self.shift.index_select(0, atoms.element)


class _Scaled(nn.Module):
    """The unit, spread and learned factor that all read-outs have."""

    unit: Tensor
    spread: Tensor
    orders: tuple[int, ...] = (0,)

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.register_buffer("unit", torch.ones(()))
        self.register_buffer("spread", torch.ones(()))


class ScalarReadout(_Scaled):
    """y = sum_i (s y_i + e[Z_i]) for one number a molecule, or the mean over its atoms.

    e: the linear fit of the training labels to the composition, s their spread about it.
    """

    reference: Tensor

    def __init__(self, channels: int, elements: int, pooling: str) -> None:
        super().__init__()
        self.atom = AtomScalar(channels, elements)
        self.pooling = pooling
        self.register_buffer("reference", torch.zeros(elements))

    def forward(
        self, features: Float[Tensor, "atoms rows channels"], atoms: Atoms
    ) -> Float[Tensor, " graphs"]:
        learned = self.atom(features, atoms) * (self.scale * self.unit)
        total = atoms.sum(learned.double() + self.reference[atoms.element].double())
        if self.pooling == "mean":
            total = total / atoms.counts.clamp(min=1.0)
        return total.to(features.dtype)

    @torch.no_grad()
    def calibrate(self, labels: Labels) -> None:
        fit = labels.fit_composition(self.pooling)
        self.reference.copy_(fit.coefficients)
        self.unit.fill_(fit.atom_spread)
        self.spread.fill_(fit.spread)


class AtomScalarReadout(_Scaled):
    """One number an atom, such as its charge: s y_i + e[Z_i], with e the mean of the element."""

    reference: Tensor

    def __init__(self, channels: int, elements: int) -> None:
        super().__init__()
        self.atom = AtomScalar(channels, elements)
        self.register_buffer("reference", torch.zeros(elements))

    def forward(
        self, features: Float[Tensor, "atoms rows channels"], atoms: Atoms
    ) -> Float[Tensor, " atoms"]:
        learned = self.atom(features, atoms) * (self.scale * self.unit)
        return learned + self.reference[atoms.element]

    @torch.no_grad()
    def calibrate(self, labels: Labels) -> None:
        fit = labels.fit_elements()
        self.reference.copy_(fit.coefficients)
        self.unit.fill_(fit.spread)
        self.spread.fill_(fit.spread)


class DipoleReadout(_Scaled):
    """A vector of the molecule from atomic charges, atomic vectors, or both:

        mu = f sum_i q_i (x_i - x_c) + sum_i v_i,    q_i <- q_i + (Q - sum_j q_j) / n

    with v_i a linear map of the features of order 1, x_c the mean of the n positions, Q the total
    charge, and f = 4.803 debye per e angstrom. Charges give an lmax 0 network directions for
    free, since positions have them; vectors must be learned from directions.
    """

    charge_unit: Tensor

    def __init__(
        self,
        channels: int,
        elements: int,
        lmax: int,
        *,
        charges: bool,
        vectors: bool,
        total_charge: float = 0.0,
        factor: float = DEBYE,
    ) -> None:
        super().__init__()
        if vectors and lmax == 0:
            raise InvalidSetting("lmax 0 has no vector features; use the charge read-out")
        self.atom = AtomScalar(channels, elements) if charges else None
        self.vector = nn.Parameter(torch.randn(channels)) if vectors else None
        self.total_charge, self.factor = total_charge, factor
        self.orders = (0, 1) if vectors else (0,)
        self.register_buffer("charge_unit", torch.ones(()))

    def charges(self, features: Tensor, atoms: Atoms) -> Float[Tensor, " atoms"]:
        """q_i in e, summing to the total charge in every molecule."""
        if self.atom is None:
            raise InvalidSetting("this read-out has no charges")
        free = self.atom(features, atoms) * (self.scale * self.charge_unit)
        surplus = (self.total_charge - atoms.sum(free)) / atoms.counts.clamp(min=1.0)
        return free + surplus[atoms.graph]

    def forward(
        self, features: Float[Tensor, "atoms rows channels"], atoms: Atoms
    ) -> Float[Tensor, "graphs 3"]:
        moment = torch.zeros_like(atoms.pos)
        if self.atom is not None:
            charges = self.factor * self.charges(features, atoms)
            moment = moment + charges.unsqueeze(1) * atoms.centred()
        if self.vector is not None:
            weights = self.vector * (self.scale * self.unit * len(self.vector) ** -0.5)
            moment = moment + features[:, 1:4] @ weights
        return atoms.sum(moment)

    @torch.no_grad()
    def calibrate(self, labels: Labels) -> None:
        spread = labels.root_mean_square()
        self.spread.fill_(spread)
        self.unit.fill_(spread / labels.mean_count() ** 0.5)
        self.charge_unit.fill_(spread / (self.factor * labels.arm()))


class MagnitudeReadout(nn.Module):
    """|mu| = sqrt(mu mu + 1e-12), whose gradient is finite at mu = 0 too."""

    def __init__(self, dipole: DipoleReadout) -> None:
        super().__init__()
        self.dipole = dipole
        self.orders = dipole.orders

    @property
    def spread(self) -> Tensor:
        return self.dipole.spread

    def forward(
        self, features: Float[Tensor, "atoms rows channels"], atoms: Atoms
    ) -> Float[Tensor, " graphs"]:
        vector: Tensor = self.dipole(features, atoms)
        return (vector.square().sum(1) + 1e-12).sqrt()

    def calibrate(self, labels: Labels) -> None:
        self.dipole.calibrate(labels)


class PolarizabilityReadout(_Scaled):
    """`0e + 2e`: the isotropic part as a sum of atomic numbers, the rest from order 2."""

    orders = (0, 2)

    tensor_unit: Tensor
    reference: Tensor

    def __init__(self, channels: int, elements: int, lmax: int) -> None:
        super().__init__()
        if lmax < 2:
            raise InvalidSetting(f"lmax {lmax} has no features of order 2; set lmax to 2 or 3")
        self.atom = AtomScalar(channels, elements)
        self.tensor = nn.Parameter(torch.randn(channels))
        self.register_buffer("tensor_unit", torch.ones(()))
        self.register_buffer("reference", torch.zeros(elements))

    def forward(
        self, features: Float[Tensor, "atoms rows channels"], atoms: Atoms
    ) -> Float[Tensor, "graphs 6"]:
        isotropic = self.atom(features, atoms) * (self.scale * self.unit)
        isotropic = isotropic + self.reference[atoms.element]
        weights = self.tensor * (self.scale * self.tensor_unit * len(self.tensor) ** -0.5)
        traceless = features[:, 4:9] @ weights
        return atoms.sum(torch.cat([isotropic.unsqueeze(1), traceless], 1))

    @torch.no_grad()
    def calibrate(self, labels: Labels) -> None:
        isotropic, traceless = labels.split(1)
        fit = isotropic.fit_composition("sum")
        self.reference.copy_(fit.coefficients)
        self.unit.fill_(fit.atom_spread)
        anisotropy = traceless.root_mean_square()
        self.tensor_unit.fill_(anisotropy / labels.mean_count() ** 0.5)
        self.spread.fill_(((fit.spread**2 + 5 * anisotropy**2) / 6) ** 0.5)
