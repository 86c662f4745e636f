"""The fields of atomic records and what can be learned from them, each with its unit."""

from __future__ import annotations

from typing import Final

from intertwiner.fields import EDGE, GRAPH, NODE, Field, Index, Irreps, Label, Point, Scalar

__all__ = [
    "ATOM_FIELDS",
    "BOND_FIELDS",
    "COMPLEX_FIELDS",
    "GFN2_TARGETS",
    "QM7_TARGETS",
    "QM9_TARGETS",
    "names",
]

ATOM_FIELDS: Final = (
    Field("pos", NODE, Point(), "angstrom", "positions of the atoms"),
    Field("z", NODE, Label(), None, "atomic numbers"),
)

BOND_FIELDS: Final = (
    Field("z", NODE, Label(), None, "atomic numbers"),
    Field("edge_index", EDGE, Index(of=NODE), None, "every bond twice, once in each direction"),
)

COMPLEX_FIELDS: Final = (
    *ATOM_FIELDS,
    Field("part", NODE, Label(2), None, "0 for atoms of the protein, 1 for those of the ligand"),
    Field("residue", NODE, Label(), None, "0 for the ligand, then the protein's residues from 1"),
)

GFN2_TARGETS: Final = (
    Field("energy", GRAPH, Scalar(), "eV", "GFN2-xTB total energy"),
    Field("forces", NODE, Irreps("1x1o"), "eV/angstrom", "minus the gradient of the energy"),
    Field("dipole", GRAPH, Irreps("1x1o"), "debye", "dipole moment vector"),
    Field("dipole_magnitude", GRAPH, Scalar(), "debye", "length of the dipole moment"),
    Field("charges", NODE, Scalar(), "e", "Mulliken charges of GFN2-xTB; they sum to zero"),
    Field("homo", GRAPH, Scalar(), "eV", "energy of the highest occupied orbital"),
    Field("lumo", GRAPH, Scalar(), "eV", "energy of the lowest empty orbital"),
    Field("gap", GRAPH, Scalar(), "eV", "lumo less homo"),
    Field("polarizability_mean", GRAPH, Scalar(), "bohr^3", "a third of the trace"),
    Field(
        "polarizability",
        GRAPH,
        Irreps("1x0e+1x2e"),
        "bohr^3",
        "a third of the trace, then the traceless part (see intertwiner_atoms.tensors)",
    ),
)

QM7_TARGETS: Final = (
    Field("atomization_energy", GRAPH, Scalar(), "kcal/mol", "PBE0; negative, free atoms are 0"),
)

QM9_TARGETS: Final = (
    Field("mu", GRAPH, Scalar(), "debye", "length of the dipole moment"),
    Field("alpha", GRAPH, Scalar(), "bohr^3", "isotropic polarizability"),
    Field("homo", GRAPH, Scalar(), "eV", "energy of the highest occupied orbital"),
    Field("lumo", GRAPH, Scalar(), "eV", "energy of the lowest empty orbital"),
    Field("gap", GRAPH, Scalar(), "eV", "lumo less homo"),
    Field("r2", GRAPH, Scalar(), "bohr^2", "electronic spatial extent"),
    Field("zpve", GRAPH, Scalar(), "eV", "zero-point vibrational energy, no reference"),
    Field("U0", GRAPH, Scalar(), "eV", "internal energy at 0 K, less free atoms by default"),
    Field("U", GRAPH, Scalar(), "eV", "internal energy at 298.15 K, less free atoms by default"),
    Field("H", GRAPH, Scalar(), "eV", "enthalpy at 298.15 K, less free atoms by default"),
    Field("G", GRAPH, Scalar(), "eV", "free energy at 298.15 K, less free atoms by default"),
    Field("Cv", GRAPH, Scalar(), "cal/mol/K", "heat capacity at 298.15 K, no reference"),
    Field("charges", NODE, Scalar(), "e", "Mulliken charges"),
)


def names(fields: tuple[Field, ...]) -> tuple[str, ...]:
    """The names of `fields`, in order."""
    return tuple(field.name for field in fields)
