"""What a network learns from its training labels before the first step: offsets and units.

All fits are linear least squares in double precision; the same data gives the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from intertwiner_equivariant_conv.errors import InvalidInput

__all__ = ["Fit", "Labels"]


@dataclass(frozen=True, slots=True)
class Fit:
    """A linear fit: its coefficients, and the spread of what it leaves, in the label's unit.

    spread: root mean square residual; atom_spread: the same for the residual of an atom.
    """

    coefficients: Float[Tensor, " elements"]
    spread: float
    atom_spread: float


@dataclass(frozen=True, slots=True)
class Labels:
    """The training labels of one target, NaN where missing.

    values: one row a molecule, or one an atom. composition: atoms of every element, in the
    molecule, or (one-hot) the atom. arms: root of the sum over a molecule's atoms of the squared
    distance from their mean, in angstrom.
    """

    name: str
    values: Float[Tensor, "items width"]
    composition: Float[Tensor, "items elements"]
    arms: Float[Tensor, " items"]

    @property
    def known(self) -> Bool[Tensor, " items"]:
        """Rows with a label. Raises `InvalidInput` when there is none."""
        known = torch.isfinite(self.values).all(1)
        if not bool(known.any()):
            raise InvalidInput(f"target {self.name!r}: none of {len(known)} training rows has one")
        return known

    def fit_composition(self, pooling: str) -> Fit:
        """Labels against the number ("sum") or fraction ("mean") of atoms of every element."""
        known = self.known
        counts = self.composition[known]
        atoms = counts.sum(1).clamp(min=1.0)
        inputs = counts / atoms.unsqueeze(1) if pooling == "mean" else counts
        coefficients, residual = _least_squares(inputs, self.values[known, 0])
        per_atom = residual if pooling == "mean" else residual / atoms
        return Fit(coefficients, _spread(residual), _spread(per_atom))

    def fit_elements(self) -> Fit:
        """The mean label of every element."""
        known = self.known
        coefficients, residual = _least_squares(self.composition[known], self.values[known, 0])
        return Fit(coefficients, _spread(residual), _spread(residual))

    def root_mean_square(self) -> float:
        """Over all components of all labels: the error of predicting zero."""
        return _spread(self.values[self.known].flatten())

    def mean_count(self) -> float:
        """Atoms in a molecule, at least one."""
        return max(1.0, float(self.composition[self.known].sum(1).mean()))

    def arm(self) -> float:
        """Root mean square of `arms`, in angstrom: the lever on which atomic charges act."""
        return _spread(self.arms[self.known])

    def split(self, columns: int) -> tuple[Labels, Labels]:
        """The first columns, and the others."""
        first, rest = self.values[:, :columns], self.values[:, columns:]
        return replace(self, values=first), replace(self, values=rest)


def _least_squares(
    inputs: Float[Tensor, "items elements"], values: Float[Tensor, " items"]
) -> tuple[Float[Tensor, " elements"], Float[Tensor, " items"]]:
    """(smallest coefficients that fit best, residual); elements that never occur get 0."""
    solved = torch.linalg.lstsq(inputs, values.unsqueeze(1), driver="gelsd").solution.squeeze(1)
    return solved, values - inputs @ solved


def _spread(residual: Float[Tensor, " items"]) -> float:
    """Root mean square, or 1 where that is 0 or nearly so: a unit must be usable."""
    spread = float(residual.square().mean().sqrt())
    return spread if spread > 1e-8 else 1.0
