"""PDBQT, AutoDock's and Vina's files: PDB columns with an atom type in place of the element.

gemmi and RDKit take the types for elements (A, an aromatic carbon, becomes no element), so the
lines are read here: coordinates are checked as in a PDB file, elements come from the types, and
what docking adds (ring-closure glue, hydration sites) is dropped and counted. Occupancies are
not read: docking programs write there what they like.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Int, UInt8
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_atoms.elements import atomic_number, is_dummy
from intertwiner_atoms.readers.columns import FixedLines, texts
from intertwiner_atoms.readers.macromolecule import MacromoleculeReader
from intertwiner_atoms.readers.pdb_text import check_coordinates
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.sites import Sites
from intertwiner_atoms.readers.text import parse_count, read_bytes

__all__ = ["PdbqtReader", "element_of_type"]

PSEUDO: Final = frozenset(["G", "GA", "G0", "G1", "G2", "G3", "J", "Q", "Z", "TZ", "W", "LP"])
"""AutoDock types of sites that are not atoms."""

_TYPES: Final = {
    **dict.fromkeys(("A", "C", "CX", "CZ"), 6),
    **dict.fromkeys(("N", "NA", "NS", "NX"), 7),
    **dict.fromkeys(("O", "OA", "OS", "OX"), 8),
    **dict.fromkeys(("H", "HD", "HS"), 1),
    **dict.fromkeys(("S", "SA"), 16),
}
_CLOSURE: Final = re.compile(r"CG\d?")
Rows = Int[NDArray[np.int64], " atoms"]
Grid = UInt8[NDArray[np.uint8], "atoms width"]


def element_of_type(kind: str, name: str = "", residue: str = "") -> int | None:
    """The atomic number of an AutoDock type; 0 for a pseudo-atom, None when nobody knows it.

    `NA` is a nitrogen that accepts hydrogen bonds, sodium only in an atom and residue called NA;
    `Na` is sodium. Metals and halogens are symbols in any case (`CA` is calcium).
    """
    sodium = kind == "Na" or (kind == "NA" and name == residue == "NA")
    if sodium or kind.upper() in PSEUDO or is_dummy(kind):
        plain_carbon = kind == "A"
        return 11 if sodium else (6 if plain_carbon else 0)
    if _CLOSURE.fullmatch(kind):
        return 6
    return _TYPES.get(kind.upper()) or atomic_number(kind)


class PdbqtReader(MacromoleculeReader):
    """Reads `.pdbqt`: a receptor, a ligand with its branches, or docked poses as models.

    Atoms of flexible side chains (BEGIN_RES) that stand beside a docked ligand belong to the
    receptor and are dropped and counted.
    """

    def tables(self, path: Path, report: ReadReport) -> list[Sites]:
        lines = FixedLines(path, read_bytes(path, self.config.max_bytes))
        atoms = np.flatnonzero(lines.begins(b"ATOM", b"HETATM"))
        if not len(atoms):
            raise DataError(f"{path}: no ATOM or HETATM line: not a PDBQT file")
        _check_branches(lines)
        flexible = _inside(lines, atoms, b"BEGIN_", b"END_RE")
        if flexible.any() and not flexible.all():
            report.count("atoms of flexible residues dropped", int(flexible.sum()))
            atoms = atoms[~flexible]
        check_coordinates(lines, atoms)
        grid = lines.columns(atoms, 0, 88)
        sites = _sites(grid, _elements(lines, atoms, grid))
        atom = sites.z > 0
        report.count("pseudo-atoms of docking dropped", int((~atom).sum()))
        model = np.searchsorted(np.flatnonzero(lines.begins(b"MODEL")), atoms)[atom]
        sites = sites.take(atom)
        return [sites.take(model == number) for number in np.unique(model)] or [sites]


def _check_branches(lines: FixedLines) -> None:
    """Raises `DataError` when a torsion tree is opened and not closed: the file is cut off."""
    for opens, closes in ((b"ROOT", b"ENDROO"), (b"BRANCH", b"ENDBRA"), (b"MODEL", b"ENDMDL")):
        opened, closed = (int(lines.begins(word).sum()) for word in (opens, closes))
        if opened != closed:
            names = ("ENDROOT", "ENDBRANCH", "ENDMDL")
            name = next(word for word in names if word.encode().startswith(closes))
            raise DataError(
                f"{lines.path}: {opened} {opens.decode()} and {closed} {name} lines: the file is "
                "cut off or its torsion tree is damaged"
            )


def _inside(lines: FixedLines, atoms: Rows, opens: bytes, closes: bytes) -> NDArray[np.bool_]:
    """Which atom lines stand between a line that opens a block and the one that closes it."""
    depth = lines.begins(opens).astype(np.int64) - lines.begins(closes)
    return np.cumsum(depth)[atoms] > 0


def _elements(lines: FixedLines, atoms: Rows, grid: Grid) -> Int[NDArray[np.int64], " atoms"]:
    """The atomic number of every atom line, 0 for pseudo-atoms, from columns 77 on."""
    columns = np.concatenate([grid[:, 12:21], grid[:, 76:88]], axis=1)
    kinds, kind = np.unique(texts(columns), return_inverse=True)
    z = np.zeros(len(kinds), dtype=np.int64)
    for number, field in enumerate(kinds.tolist()):
        text = field.decode("latin-1")
        words = text[9:].split()
        name, residue = text[:4].strip(), text[5:9].strip()
        found = element_of_type(words[0], name, residue) if words else None
        if found is None:
            index = int(atoms[np.argmax(kind.reshape(-1) == number)])
            what = f"unknown AutoDock type {words[0]!r}" if words else "no AutoDock type"
            raise DataError(
                f"{lines.path}, line {index + 1}, atom {name} of {residue or 'no residue'}: {what} "
                "in columns 78-79; write it, or rename the file if it is a PDB file"
            )
        z[number] = found
    return z[kind.reshape(-1)]


def _sites(grid: Grid, z: Int[NDArray[np.int64], " atoms"]) -> Sites:
    """The columns of PDB as `Sites`; numbers that cannot be read are 0."""
    places = texts(grid[:, 30:54].reshape(-1, 8)).astype(np.float64)
    altloc = grid[:, 16]
    return Sites(
        z=z,
        pos=places.reshape(-1, 3),
        occupancy=np.ones(len(z), dtype=np.float32),
        altloc=np.where(altloc == ord(" "), np.uint8(0), altloc),
        name=np.char.strip(texts(grid[:, 12:16])),
        residue_name=np.char.strip(texts(grid[:, 17:21])),
        chain=np.char.strip(texts(grid[:, 21:22])),
        number=_whole_numbers(texts(grid[:, 22:26])),
        insertion=grid[:, 26].copy(),
        serial=_whole_numbers(texts(grid[:, 6:11])),
        hetero=grid[:, 0] == ord("H"),
    )


def _whole_numbers(fields: NDArray[np.bytes_]) -> Int[NDArray[np.int32], " atoms"]:
    kinds, kind = np.unique(fields, return_inverse=True)
    words = [field.decode("latin-1").strip() for field in kinds.tolist()]
    signs = [-1 if word.startswith("-") else 1 for word in words]
    counts = [parse_count(word.removeprefix("-")) or 0 for word in words]
    numbers = [sign * count for sign, count in zip(signs, counts, strict=True)]
    return np.array(numbers, dtype=np.int32)[kind.reshape(-1)]
