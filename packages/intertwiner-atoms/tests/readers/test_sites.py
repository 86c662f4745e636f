"""The columns say what gemmi's objects say, atom by atom."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import gemmi
import numpy as np
import pytest

from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.readers.macromolecule import MmcifReader, PdbReader
from intertwiner_atoms.readers.report import ReadReport


@pytest.mark.parametrize("name", ["1A8O.pdb", "1LCD.pdb", "a_structure.cif", "4CUP.cif"])
def test_columns_agree_with_gemmi_atom_by_atom(shared_data: Path, name: str) -> None:
    path = shared_data / "structures" / "pdb" / name
    kind = PdbReader if name.endswith("pdb") else MmcifReader
    models = kind(ReadConfig()).tables(path, ReadReport(path))
    structure = gemmi.read_structure(str(path), merge_chain_parts=False)
    assert len(models) == len(structure)
    for sites, model in zip(models, structure, strict=True):
        rows = [(chain, res, atom) for chain in model for res in chain for atom in res]
        assert len(rows) == len(sites)
        for index, (chain, residue, atom) in enumerate(rows):
            assert sites.z[index] == atom.element.atomic_number
            assert sites.pos[index].tolist() == atom.pos.tolist()
            assert sites.residue_label(index) == f"{chain.name}/{residue.name} {residue.seqid}"
            assert (sites.altloc[index] == 0) == (not atom.has_altloc())
            assert sites.water[index] == residue.is_water()
        residues = [(chain.name, str(residue.seqid)) for chain, residue, _ in rows]
        changes = [a != b for a, b in pairwise(residues)]
        assert np.diff(sites.residue).tolist() == [int(change) for change in changes]
