"""Whatever happens to the files of a complex, only errors of this library come out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intertwiner.errors import DataError
from intertwiner_atoms import Collection, read_complex, read_complexes

Bench = Any
PIECES = st.sampled_from(
    ["", " ", "\n", "9", "-", "nan", ",", '"', "é", "ATOM  ", "HOH", "END\n", "$$$$\n", "0.000"]
)
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 80), PIECES), max_size=4)
FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)


def damaged(text: str, edits: list[tuple[float, int, str]]) -> str:
    for where, length, piece in edits:
        start = int(where * len(text))
        text = text[:start] + piece + text[start + length :]
    return text


@pytest.mark.fault("F20")
@FIXTURE
@given(protein=EDITS, ligand=EDITS, crop=st.sampled_from([0.0, 3.0, 12.0]), far=st.booleans())
def test_damaged_files_give_a_sound_complex_or_one_clear_line(
    bench: Bench, protein: Any, ligand: Any, crop: float, far: bool
) -> None:
    receptor = bench.write("p.pdb", damaged(bench.protein().read_text(), protein))
    pose = bench.write("l.sdf", damaged(bench.ligand().read_text(), ligand))
    message, found = "", None
    try:
        found = read_complex(receptor, pose, crop=crop, allow_far=far)
    except DataError as error:
        message = str(error)
    assert "\n" not in message
    assert (found is None) == (str(bench.folder) in message)
    if found is None:
        return
    record, report = found
    assert torch.isfinite(record.pos).all()
    assert 0 < int(record.part.sum()) < len(record.z) == len(record.part) == len(record.residue)
    assert int(record.residue.max()) == len(record.residue_names) - 1
    assert report.atoms == len(record.z)


@pytest.mark.fault("F26")
@FIXTURE
@given(edits=EDITS)
def test_damaged_tables_give_complexes_failures_or_one_clear_line(bench: Bench, edits: Any) -> None:
    bench.protein(), bench.ligand()
    table = "name,protein,ligand,smiles,label\na,protein.pdb,ligand.sdf,CC(N)(O)S,1\nb,x,y,,\n"
    path = bench.write("t.csv", damaged(table, edits))
    message, collection = "", Collection()
    try:
        collection = read_complexes(path)
    except DataError as error:
        message = str(error)
    told = [message, *(failure.reason for failure in collection.failures)]
    assert all("\n" not in text for text in told)
    assert (len(collection) + len(collection.failures) == 0) == ("t.csv" in message)
