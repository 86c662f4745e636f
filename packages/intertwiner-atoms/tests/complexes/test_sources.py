"""Folders and tables of complexes: found, or told what they lack."""

from __future__ import annotations

from typing import Any

import pytest

from intertwiner.errors import DataError
from intertwiner_atoms.complexes.sources import complexes_in, read_manifest

Bench = Any


def names(found: Any) -> list[tuple[str, str, list[str]]]:
    return [(f.name, f.protein.name, [path.name for path in f.ligands]) for f in found]


def test_pdbbind_folders_are_found_at_any_of_three_levels(bench: Bench) -> None:
    for folder in ("1abc", "refined-set/2xyz", "v2020/other-PL/3pqr"):
        code = folder.rpartition("/")[2]
        for end in ("protein.pdb", "pocket.pdb", "ligand.sdf", "ligand.mol2"):
            bench.write(f"{folder}/{code}_{end}", "x")
    bench.write("index/INDEX_refined_data.2020", "x")
    found, failures = complexes_in(bench.folder)
    assert names(found) == [
        (code, f"{code}_protein.pdb", [f"{code}_ligand.sdf", f"{code}_ligand.mol2"])
        for code in ("1abc", "2xyz", "3pqr")
    ]
    assert not failures
    pockets, _ = complexes_in(bench.folder, pocket=True)
    assert pockets[0].protein.name == "1abc_pocket.pdb"


def test_a_folder_that_lacks_a_file_is_a_failure(bench: Bench) -> None:
    bench.write("1abc/1abc_protein.pdb", "x")
    bench.write("2xyz/2xyz_ligand.mol2", "x")
    found, failures = complexes_in(bench.folder)
    assert not found
    assert [each.name for each in failures] == ["1abc", "2xyz"]
    assert "no 1abc_ligand (.sdf, .mol2" in failures[0].reason
    assert "no 2xyz_protein (.pdb" in failures[1].reason


def test_a_folder_with_one_protein_and_many_ligands_is_many_complexes(bench: Bench) -> None:
    bench.write("tyk2/protein.pdb", "x")
    bench.write("tyk2/ligands.sdf", "x")
    bench.write("one/protein.cif", "x")
    bench.write("one/ligand.mol2", "x")
    found, _ = complexes_in(bench.folder)
    assert [(each.name, each.every) for each in found] == [("one", False), ("tyk2", True)]


def test_a_folder_without_complexes_says_what_one_is(bench: Bench) -> None:
    with pytest.raises(DataError, match="no complexes; a complex is a folder 1abc with"):
        complexes_in(bench.folder)
    with pytest.raises(DataError, match="no such folder"):
        complexes_in(bench.folder / "nowhere")


def test_a_table_names_files_beside_itself_and_keeps_further_columns(bench: Bench) -> None:
    path = bench.write(
        "set/table.csv",
        'id,protein,ligand,smiles,ligand_index,label,note\na,p.pdb,l.sdf,CCO,2,6.5,"x, y"\n\n'
        "b,sub/p.pdb,l.sdf,,,,\n",
    )
    first, second = read_manifest(path)
    assert (first.name, first.smiles, first.ligand_index) == ("a", "CCO", 2)
    assert first.protein == path.parent / "p.pdb"
    assert second.protein == path.parent / "sub" / "p.pdb"
    assert first.columns == {"label": "6.5", "note": "x, y"}
    assert second.columns == {"label": "", "note": ""}


@pytest.mark.fault("F26")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("protein,label\na,1\n", "no column 'ligand' in the first line; there are protein, label"),
        ("protein,ligand\n", "a head and no rows"),
        ("protein,ligand\na.pdb\n", "line 2: 1 cells for 2 columns"),
        ("protein,ligand\na.pdb,b.sdf,c\n", "line 2: 3 cells for 2 columns"),
        ("protein,ligand\na.pdb,\n", "line 2: column 'ligand' is empty"),
        ("protein,ligand,ligand\na,b,c\n", "column 'ligand' stands there 2x"),
        ("protein,ligand,ligand_index\na,b,two\n", "line 2: ligand_index='two'"),
        ('protein,ligand\n"a,b\n', "line 2: not a CSV table|line 2: 1 cells"),
        ("", "empty"),
    ],
)
def test_a_table_that_cannot_be_names_row_and_column(bench: Bench, text: str, words: str) -> None:
    with pytest.raises(DataError, match=f"table.csv.*({words})"):
        read_manifest(bench.write("table.csv", text))
