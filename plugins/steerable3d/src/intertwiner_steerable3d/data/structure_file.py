"""One PDB or mmCIF file as arrays, by gemmi, with the rules written down here.

Of several models the first; of alternative places of an atom the one of highest occupancy, on a
tie the first letter. Hydrogens and waters are left out, and elements other than C, N, O and S;
selenium counts as sulphur. Modified names of common residues get their usual one. Other residues
contribute atoms to surroundings and are no targets.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import torch

from intertwiner_steerable3d.data.proteins import AMINO_ACIDS, Proteins
from intertwiner_steerable3d.errors import InvalidInput

__all__ = ["SUFFIXES", "read_structure", "stem"]

SUFFIXES: Final = (".pdb", ".ent", ".cif", ".mmcif")
"""Of the files that are read, `.gz` behind them or not."""

_RENAMED: Final = {
    "MSE": "MET",
    **dict.fromkeys(("HSD", "HSE", "HSP", "HIE", "HID", "HIP"), "HIS"),
    **dict.fromkeys(("CYX", "CYM"), "CYS"),
}
_ELEMENT: Final = {"C": 0, "N": 1, "O": 2, "S": 3, "Se": 3, "SE": 3}
_BACKBONE: Final = {"N": 0, "CA": 1, "C": 2}
_MOST: Final = 2**30
"""Bytes of a file, unpacked, beyond which it is no structure."""


def stem(path: Path) -> str:
    """The file's name without its suffixes."""
    return Path(path.name.removesuffix(".gz")).stem


def read_structure(path: Path) -> Proteins:
    """The protein in `path`.

    Raises `InvalidInput` naming the file when it cannot be read, has a position that is not
    finite, or no residue of the 20 types.
    """
    atoms = list(_atoms(_open(path)))
    return _arrays(path, atoms)


def _open(path: Path) -> Any:
    try:
        import gemmi
    except ImportError as error:
        raise InvalidInput(
            f"{path}: reading structure files needs gemmi: "
            "pip install 'intertwiner-steerable3d[proteins]'"
        ) from error
    text = _text(path)
    try:
        if path.name.removesuffix(".gz").lower().endswith(("cif", "mmcif")):
            return gemmi.make_structure_from_block(gemmi.cif.read_string(text)[0])
        return gemmi.read_pdb_string(text)
    except (RuntimeError, ValueError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise InvalidInput(f"{path}: not a whole structure file: {reason}") from error


def _text(path: Path) -> str:
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            content: bytes = file.read(_MOST + 1)
    except (OSError, EOFError) as error:
        raise InvalidInput(f"{path}: cannot be read: {error}") from error
    if len(content) > _MOST:
        raise InvalidInput(f"{path}: more than {_MOST >> 30} GiB, which is no structure")
    if b"\0" in content[:4096]:
        raise InvalidInput(f"{path}: binary content, not a text file")
    return content.decode("latin-1")


def _atoms(structure: Any) -> Iterator[tuple[int, str, str, int, tuple[float, float, float]]]:
    """Residue number, residue name, atom name, element, place of every atom that counts."""
    if len(structure) == 0:
        return
    number = 0
    for chain in structure[0]:
        for residue in chain:
            if residue.is_water():
                continue
            for name, atom in _best_places(residue).items():
                element = _ELEMENT.get(atom.element.name)
                if element is not None:
                    yield number, residue.name, name, element, tuple(atom.pos.tolist())
            number += 1


def _best_places(residue: Any) -> dict[str, Any]:
    """Atom name -> the atom of highest occupancy, on a tie that of the first letter."""
    best: dict[str, Any] = {}
    for atom in residue:
        known = best.get(atom.name)
        if known is None or (-atom.occ, atom.altloc) < (-known.occ, known.altloc):
            best[atom.name] = atom
    return best


def _arrays(
    path: Path, atoms: list[tuple[int, str, str, int, tuple[float, float, float]]]
) -> Proteins:
    numbers = sorted({atom[0] for atom in atoms})
    rows = {number: row for row, number in enumerate(numbers)}
    kinds = [-1] * len(numbers)
    backbone = torch.full((len(numbers), 3, 3), float("nan"))
    for number, residue, name, _, place in atoms:
        usual = _RENAMED.get(residue, residue)
        kinds[rows[number]] = AMINO_ACIDS.index(usual) if usual in AMINO_ACIDS else -1
        if name in _BACKBONE:
            backbone[rows[number], _BACKBONE[name]] = torch.tensor(place)
    pos = torch.tensor([atom[4] for atom in atoms]).reshape(-1, 3)
    bad = (~torch.isfinite(pos)).any(dim=1).nonzero()
    if len(bad):
        number, residue, name, _, place = atoms[int(bad[0])]
        raise InvalidInput(f"{path}: atom {name} of {residue} has position {place}")
    if not any(kind >= 0 for kind in kinds):
        raise InvalidInput(f"no protein residues in {path}")
    return Proteins(
        names=(stem(path),),
        pos=pos,
        element=torch.tensor([atom[3] for atom in atoms]),
        residue=torch.tensor([rows[atom[0]] for atom in atoms]),
        amino_acid=torch.tensor(kinds),
        backbone=backbone,
        atom_ptr=torch.tensor([0, len(atoms)]),
        residue_ptr=torch.tensor([0, len(numbers)]),
    )
