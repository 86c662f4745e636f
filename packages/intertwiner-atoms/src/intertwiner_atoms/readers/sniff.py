"""What format a file has by what stands in it, whatever its name says."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["format_of"]

_LOOKED_AT: Final = 1 << 12
_TORSIONS: Final = re.compile(rb"^(?:ROOT|ENDROOT|BRANCH|ENDBRANCH|TORSDOF)\b", re.M)
_ATOM: Final = re.compile(rb"^(?:ATOM  |HETATM)[^\r\n]*", re.M)
_PDB: Final = re.compile(rb"^(?:HEADER|TITLE |COMPND|CRYST1|REMARK|MODEL |SEQRES|HEADER)", re.M)
_CHARGE: Final = re.compile(rb"\s*[-+]?\d*\.\d+ *[A-Za-z]")
_COUNTS: Final = re.compile(rb"V[23]000\s*$")


def format_of(head: bytes) -> str | None:
    """ "mmcif", "mol2", "sdf", "pdbqt" or "pdb" by the beginning of a file; None when unsure."""
    head = head[:_LOOKED_AT]
    lines = head.splitlines()
    first = next((line for line in lines if line.strip() and not line.startswith(b"#")), b"")
    if first.lower().startswith(b"data_") and (b"\n_" in head or b"loop_" in head):
        return "mmcif"
    if re.search(rb"^@<TRIPOS>MOLECULE", head, re.M):
        return "mol2"
    if len(lines) > 3 and _COUNTS.search(lines[3]):
        return "sdf"
    atom = _ATOM.search(head)
    if _TORSIONS.search(head) or (atom is not None and _CHARGE.match(atom[0][66:])):
        return "pdbqt"
    return "pdb" if atom is not None or _PDB.match(head) else None
