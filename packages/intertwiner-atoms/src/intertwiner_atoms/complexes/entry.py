"""A ligand that is a residue of the protein's own file, as in entries of the Protein Data Bank."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_atoms.complexes.ligand import Ligand
from intertwiner_atoms.complexes.reading import as_record, complex_of, with_policies
from intertwiner_atoms.complexes.receptor import Receptor, read_receptor
from intertwiner_atoms.complexes.report import ComplexReport
from intertwiner_atoms.config import ComplexConfig
from intertwiner_atoms.readers.raw_atoms import Atoms, RawAtoms
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.sites import TOKENS, Labels, Sites

if TYPE_CHECKING:
    from torch_geometric.data import Data

__all__ = ["read_entry"]

_SHOWN = 12


def read_entry(
    path: Path | str,
    residue: str,
    config: ComplexConfig | None = None,
    *,
    smiles: str = "",
    **policies: Any,
) -> tuple[Data, ComplexReport]:
    """The COMPLEX record of one residue and all else in the same file.

    residue: its name, such as "STI", or with chain and number, "A/STI 501", where there are
    several. See `read_complex` for the record and the policies.
    Raises `DataError` when no residue, or more than one, is called so.
    """
    config = with_policies(config, policies)
    whole = read_receptor(path, config)
    ours = _rows_of(whole, residue)
    rest = Receptor(whole.file, whole.sites.take(~ours), whole.report)
    if len(rest.sites) == 0:
        raise DataError(f"{path}: nothing but {residue} in it: no protein")
    ligand = _as_ligand(whole, whole.sites.take(ours))
    arrays, report = complex_of(rest, ligand, config, smiles=smiles)
    return as_record(arrays), report


def _rows_of(whole: Receptor, residue: str) -> Bool[NDArray[np.bool_], " atoms"]:
    sites = whole.sites
    name = residue.partition("/")[2].partition(" ")[0] or residue
    named = sites.residue_name == name.encode("latin-1", errors="replace")
    numbers = np.unique(sites.residue[named]).tolist()
    labels = {n: sites.residue_label(int(np.argmax(sites.residue == n))) for n in numbers}
    found = [n for n, label in labels.items() if residue in (name, label)]
    if not found:
        raise DataError(f"{whole.file}: no residue {residue!r}; {_candidates(sites)}")
    if len(found) > 1:
        known = ", ".join(labels[n] for n in found[:_SHOWN])
        raise DataError(f"{whole.file}: {len(found)} residues {residue!r}: {known}; name one")
    mask: NDArray[np.bool_] = named & (sites.residue == found[0])
    return mask


def _candidates(sites: Sites) -> str:
    """The residues that may have been meant: those of HETATM lines that are not water."""
    rows = np.flatnonzero(sites.hetero & ~sites.water)
    first = rows[np.unique(sites.residue[rows], return_index=True)[1]]
    labels = [sites.residue_label(int(row)) for row in first[:_SHOWN]]
    return f"there are {', '.join(labels)}" if labels else "there are no ligands in it"


def _as_ligand(whole: Receptor, sites: Sites) -> Ligand:
    label = sites.residue_label(0)
    raw = RawAtoms(whole.file, label, label, TOKENS, Labels(sites), sites.pos, kind=sites.z)
    return Ligand(Atoms(raw, sites.z, np.arange(len(sites))), ReadReport(whole.file))
