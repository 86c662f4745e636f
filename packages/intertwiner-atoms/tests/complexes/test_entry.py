"""A ligand can be a residue of the protein's own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from intertwiner.errors import DataError
from intertwiner_atoms import read_complex, read_entry

Bench = Any
Site = Any
ATOMS = (("C", (0.0, 0.0, 0.1)), ("C", (1.4, 0.0, 0.2)), ("N", (0.0, 1.4, 0.3)))


@pytest.fixture
def ligand(site: Site) -> Any:
    """Makes the lines of the ligand as residue `number`, moved along x."""

    def lines(number: int, x: float = 0.0) -> list[Any]:
        return [
            site(f"{e}{n}", e, "LIG", number, (p[0] + x, p[1], p[2]), "HETATM")
            for n, (e, p) in enumerate(ATOMS, start=1)
        ]

    return lines


def test_one_file_is_the_complex_of_two(bench: Bench, ligand: Any) -> None:
    entry = bench.protein(*ligand(301), name="entry.pdb")
    expected, _ = read_complex(bench.protein(), bench.ligand(ATOMS))
    for residue in ("LIG", "A/LIG 301"):
        record, report = read_entry(entry, residue, smiles="CCN")
        assert record.name == "A/LIG 301"
        assert torch.equal(record.pos, expected.pos)
        assert torch.equal(record.part, expected.part)
        assert not report.notes


def test_of_several_residues_one_must_be_named(bench: Bench, ligand: Any) -> None:
    entry = bench.protein(*ligand(301), *ligand(302, x=30.0), name="entry.pdb")
    with pytest.raises(DataError, match="2 residues 'LIG': A/LIG 301, A/LIG 302; name one"):
        read_entry(entry, "LIG")
    record, _ = read_entry(entry, "A/LIG 301")
    assert int(record.part.sum()) == 3


def test_a_name_that_is_not_there_is_told_what_is(bench: Bench, ligand: Any) -> None:
    entry = bench.protein(*ligand(301), name="entry.pdb")
    with pytest.raises(DataError, match="no residue 'STI'; there are A/LIG 301"):
        read_entry(entry, "STI")
    with pytest.raises(DataError, match="no residue 'A/LIG 9'"):
        read_entry(entry, "A/LIG 9")
    with pytest.raises(DataError, match="there are no ligands in it"):
        read_entry(bench.protein(), "STI")
    with pytest.raises(DataError, match="nothing but LIG in it"):
        read_entry(bench.protein(sites=ligand(301)), "LIG")


def test_a_residue_of_a_real_entry_is_its_ligand(shared_data: Path) -> None:
    record, report = read_entry(shared_data / "structures" / "pdb" / "4CUP.cif", "ZYB")
    assert int(record.part.sum()) > 5
    assert report.atoms == len(record.z)
