"""Every real structure file is read, or refused for a reason that can be acted on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from intertwiner.errors import DataError
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.readers.any_file import SUFFIXES, read_structures

REFUSED = {
    "1MOM_min.cif": "no _atom_site rows",
    "4Q9R_min.cif": "no _atom_site rows",
    "d256ba_.ent": "no ATOM or HETATM line",
    "header.pdb": "no ATOM or HETATM line",
}


def test_every_shared_structure_is_read_or_refused_with_its_reason(shared_data: Path) -> None:
    files = [path for path in (shared_data / "structures").rglob("*") if path.suffix in SUFFIXES]
    assert len(files) >= 30
    refused = {}
    for path in files:
        try:
            records, report = read_structures(path)
        except DataError as error:
            refused[path.name] = str(error)
            continue
        assert records
        assert report.atoms == sum(len(record.z) for record in records)
        for record in records:
            assert torch.isfinite(record.pos).all()
            assert 1 <= int(record.z.min()) <= int(record.z.max()) <= 118
    assert refused.keys() == REFUSED.keys()
    for name, words in REFUSED.items():
        assert words in refused[name]


def test_pdb_and_mmcif_of_one_entry_hold_the_same_atoms(shared_data: Path) -> None:
    folder = shared_data / "structures" / "pdb"
    (pdb,), _ = read_structures(folder / "1A8O.pdb")
    (cif,), _ = read_structures(folder / "1A8O.cif")
    assert torch.equal(pdb.z, cif.z)
    assert torch.equal(pdb.pos, cif.pos)


def test_real_models_waters_and_altlocs_are_counted(shared_data: Path) -> None:
    folder = shared_data / "structures" / "pdb"
    _, report = read_structures(folder / "1LCD.pdb")
    assert report.counts["models dropped"] == 2
    every, _ = read_structures(folder / "1LCD.pdb", ReadConfig(models="all"))
    assert [record.name for record in every] == [f"1LCD model {number}" for number in (1, 2, 3)]
    _, report = read_structures(folder / "disordered.pdb")
    assert report.counts["altlocs dropped"] == 2
    with pytest.raises(DataError, match="alternate places"):
        read_structures(folder / "disordered.pdb", ReadConfig(altlocs="stop"))
    with_water, _ = read_structures(folder / "1A8O.pdb", ReadConfig(waters="keep"))
    assert len(with_water[0].z) == 644


def test_every_ligand_of_a_series_is_a_record_with_its_name(shared_data: Path) -> None:
    path = shared_data / "structures" / "complexes" / "tyk2" / "ligands.sdf"
    records, _ = read_structures(path)
    assert len(records) == path.read_text().count("$$$$")
    assert records[0].name == "lig_ejm_54"


def test_overlapping_atoms_of_a_broken_entry_are_refused_when_all_are_wanted(
    shared_data: Path,
) -> None:
    path = shared_data / "structures" / "pdb" / "a_structure.pdb"
    with pytest.raises(DataError, match="same place"):
        read_structures(path, ReadConfig(models="all"))
