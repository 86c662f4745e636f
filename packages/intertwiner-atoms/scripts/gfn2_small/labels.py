"""GFN2-xTB through tblite, in the units of the data set: eV, angstrom, debye; moments in a.u."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tblite import library
from tblite.interface import Calculator, Result

BOHR_A = 0.529177210903
HARTREE_EV = 27.211386245988
ATOMIC_DIPOLE_D = 2.541746473
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What one single point gives; n atoms."""

    energy_eV: float
    forces_eV_per_A: FloatArray
    """[n, 3]"""
    charges_e: FloatArray
    """[n], Mulliken"""
    dipole_D: FloatArray
    """[3]"""
    quadrupole_au: FloatArray
    """[6]: xx, xy, yy, xz, yz, zz; traceless, about the coordinate origin"""
    homo_eV: float
    lumo_eV: float


class Engine:
    """GFN2-xTB of one neutral closed-shell molecule.

    ``numbers`` are its atomic numbers; every method takes positions ``[n, 3]`` in angstrom. tblite
    raises ``TBLiteRuntimeError`` when the self-consistent field does not converge.
    """

    def __init__(self, numbers: NDArray[np.int64], label_accuracy: float) -> None:
        self._numbers = numbers
        self._label_accuracy = label_accuracy
        self._previous: Result | None = None

    def energy_and_gradient(self, positions: FloatArray) -> tuple[float, FloatArray]:
        """Return eV and eV/A ``[n, 3]``, started from this engine's previous density.

        Meant for an optimiser: quick, and in the last digits dependent on the path taken.
        """
        calculator = self._calculator(positions, accuracy=1.0)
        self._previous = calculator.singlepoint(self._previous)
        gradient = self._previous.get("gradient") * (HARTREE_EV / BOHR_A)
        return float(self._previous.get("energy")) * HARTREE_EV, gradient

    def labels(self, positions: FloatArray) -> Labels:
        """Return every label but the polarizability, from a fresh density."""
        result = self._calculator(positions, self._label_accuracy).singlepoint()
        orbitals = result.get("orbital-energies") * HARTREE_EV
        occupied = round(float(result.get("orbital-occupations").sum()) / 2)
        return Labels(
            energy_eV=float(result.get("energy")) * HARTREE_EV,
            forces_eV_per_A=-result.get("gradient") * (HARTREE_EV / BOHR_A),
            charges_e=result.get("charges"),
            dipole_D=result.get("dipole") * ATOMIC_DIPOLE_D,
            quadrupole_au=result.get("quadrupole"),
            homo_eV=float(orbitals[occupied - 1]),
            lumo_eV=float(orbitals[occupied]),
        )

    def polarizability_bohr3(self, positions: FloatArray, field_step_au: float) -> FloatArray:
        """Return the symmetric ``[3, 3]`` tensor d(dipole)/d(field) by central differences."""
        columns = [
            self._dipole_au(positions, field) - self._dipole_au(positions, -field)
            for field in field_step_au * np.eye(3)
        ]
        tensor = np.stack(columns, axis=1) / (2 * field_step_au)
        return (tensor + tensor.T) / 2

    def _dipole_au(self, positions: FloatArray, field: FloatArray) -> FloatArray:
        calculator = self._calculator(positions, self._label_accuracy)
        values = np.ascontiguousarray(field)
        # tblite copies three doubles from this address; it accepts no array.
        calculator.add("electric-field", library.ffi.cast("double*", values.ctypes.data))
        return np.asarray(calculator.singlepoint().get("dipole"))

    def _calculator(self, positions: FloatArray, accuracy: float) -> Calculator:
        calculator = Calculator("GFN2-xTB", self._numbers, positions / BOHR_A)
        calculator.set("verbosity", 0)
        calculator.set("accuracy", accuracy)
        return calculator
