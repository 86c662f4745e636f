from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

from intertwiner.errors import DataError
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.elements import SYMBOLS
from intertwiner_atoms.readers.xyz import XyzReader
from intertwiner_atoms.xyz_writer import write_extxyz

Write = Callable[[str, str], Path]
WATER = "3\nwater\nO 0.0 0.0 0.1\nH 0.0 0.76 -0.47\nH 0.0 -0.76 -0.47\n"


def test_a_plain_file_is_one_record_named_after_it(write: Write) -> None:
    (record,) = XyzReader()(write("water.xyz", WATER))
    assert record.z.tolist() == [8, 1, 1]
    assert record.pos[1].tolist() == pytest.approx([0.0, 0.76, -0.47])
    assert record.name == "water"
    assert "cell" not in record


def test_elements_may_be_numbers_and_columns_may_follow(write: Write) -> None:
    (record,) = XyzReader()(write("a.xyz", "2\n\n6 0 0 0 0.5 x\n8 1.1e0 0 0 -.5 y\n"))
    assert record.z.tolist() == [6, 8]
    assert record.pos[1, 0] == pytest.approx(1.1)


def test_frames_follow_each_other_and_blank_lines_may_end_the_file(write: Write) -> None:
    records = XyzReader()(write("two.xyz", WATER + "1\n\nHe 0 0 0\n\n  \n"))
    assert [record.name for record in records] == ["two frame 1", "two frame 2"]
    assert [len(record.z) for record in records] == [3, 1]


def test_properties_tell_the_columns_and_lattice_the_cell(write: Write) -> None:
    comment = 'Lattice="4 0 0 0 5 0 0 1 6" Properties=id:I:1:pos:R:3:species:S:1 pbc="T F T" e=-1'
    (record,) = XyzReader()(write("a.extxyz", f"1\n{comment}\n7 1.0 2.0 3.0 Cl\n"))
    assert record.z.tolist() == [17]
    assert record.pos.tolist() == [[1.0, 2.0, 3.0]]
    assert record.cell.tolist() == [[[4, 0, 0], [0, 5, 0], [0, 1, 6]]]
    assert record.pbc.tolist() == [[True, False, True]]


def test_a_lattice_without_pbc_repeats_everywhere_and_open_frames_get_a_zero_cell(
    write: Write,
) -> None:
    text = '1\nLattice="4 0 0 0 4 0 0 0 4"\nAr 0 0 0\n' + WATER
    periodic, water = XyzReader()(write("mixed.xyz", text))
    assert periodic.pbc.all()
    assert not water.pbc.any()
    assert not water.cell.any()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    count=st.integers(2, 6),
    cell=st.booleans(),
    frames=st.integers(1, 3),
)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, seed: int, count: int, cell: bool, frames: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    records = []
    for frame in range(frames):
        record = Data(
            pos=torch.rand((count, 3), generator=generator) * 50,
            z=torch.randint(1, len(SYMBOLS), (count,), generator=generator),
            name=f"molecule {frame}",
        )
        if cell:
            record.cell = torch.rand((1, 3, 3), generator=generator) + 9 * torch.eye(3)
            record.pbc = torch.tensor([[True, False, True]])
        records.append(record)
    path = tmp_path_factory.mktemp("xyz") / "a.extxyz"
    labels = [{"forces": torch.rand((count, 3)), "energy": torch.rand(1)} for _ in records]
    write_extxyz(path, records, labels)
    for before, after in zip(records, XyzReader()(path), strict=True):
        assert torch.equal(before.z, after.z)
        assert torch.allclose(before.pos, after.pos, atol=1e-6)
        assert ("cell" in after) == cell
        if cell:
            assert torch.allclose(before.cell, after.cell, atol=1e-6)
            assert torch.equal(before.pbc, after.pbc)


def test_a_label_of_another_length_is_refused(tmp_path: Path) -> None:
    record = Data(pos=torch.rand((3, 3)), z=torch.ones(3, dtype=torch.int64), name="a")
    with pytest.raises(DataError, match=r"'charges' of a has shape \[2\] for 3 atoms"):
        write_extxyz(tmp_path / "a.xyz", [record], [{"charges": torch.rand(2)}])


@pytest.mark.fault("F20")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2\n\nC 0 0 0\nC nan 0 0\n", r"atom 2 \(line 4\).*nan.*not finite"),
        ("2\n\nC 0 0 0\nC 0 inf 0\n", r"atom 2 \(line 4\).*inf.*not finite"),
        ("2\n\nC 0 0 0\nC 0 ******** 0\n", r"line 4: atom 2 has y='\*{8}'"),
        ("2\n\nC 0 0 0\nC 0 1_0 0\n", "line 4: atom 2 has y='1_0'"),
        ("2\n\n0 0 0 C\n1 0 0 C\n", "line 3: atom 1 has z='C'"),
        ("2\n\nC 0 0 0\nC 1.0 2.0\n", "line 4: atom 2 has 3 columns"),
        ("3\n\nC 0 0 0\nC 1 0 0\n", "the file ends after 2 of 3 atoms"),
        ("3\n\nC 0 0 0\n\nC 1 0 0\n", "line 4 is blank after 1 of 3 atoms"),
        ("two\n\nC 0 0 0\n", "line 1: 'two' where the number of atoms"),
        ("1\n\nC 0 0 0\nC 1 0 0\n", "line 4: 'C 1 0 0' where the number of atoms"),
        ("\n1\n\nC 0 0 0\n", "line 1: blank"),
    ],
)
def test_numbers_that_cannot_be_are_named_with_line_and_atom(
    write: Write, text: str, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        XyzReader()(write("bad.xyz", text))


@pytest.mark.fault("F22")
def test_no_atoms_is_an_error_and_one_atom_is_a_molecule(write: Write) -> None:
    with pytest.raises(DataError, match="no atoms"):
        XyzReader()(write("none.xyz", "0\n\n"))
    (record,) = XyzReader()(write("one.xyz", "1\n\nHe 0 0 0\n"))
    assert record.pos.shape == (1, 3)


@pytest.mark.fault("F22")
def test_two_atoms_in_one_place_are_both_named_unless_kept(write: Write) -> None:
    path = write("twice.xyz", "3\n\nC 0 0 0\nO 1 0 0\nH 0 0 -0.0\n")
    with pytest.raises(DataError, match=r"atom 1 \(line 3\) and atom 3 \(line 5\)"):
        XyzReader()(path)
    (record,) = XyzReader(ReadConfig(coincident="keep"))(path)
    assert len(record.z) == 3


@pytest.mark.fault("F23")
def test_unknown_elements_stop_and_dummies_are_dropped_by_policy(write: Write) -> None:
    with pytest.raises(DataError, match=r"atom 1 \(line 3\): unknown element 'Qq'"):
        XyzReader()(write("unknown.xyz", "1\n\nQq 0 0 0\n"))
    path = write("dummy.xyz", "3\n\nC 0 0 0\nX 1 0 0\nD 2 0 0\n")
    with pytest.raises(DataError, match="'X' is no element; set dummies=drop"):
        XyzReader()(path)
    (record,), report = XyzReader(ReadConfig(dummies="drop")).read(path)
    assert record.z.tolist() == [6, 1]
    assert report.counts == {"dummy atoms dropped": 1, "deuterium or tritium read as hydrogen": 1}


@pytest.mark.fault("F27")
@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ('Lattice="4 0 0 0 0 0 0 0 4"', "line 2: periodic along a cell vector that is zero"),
        ('Lattice="4 0 0 8 0 0 0 0 4"', "in the span of"),
        ('Lattice="4 0 0 0 4"', "nine finite numbers"),
        ('Lattice="4 0 0 0 4 0 0 0 nan"', "nine finite numbers"),
        ('Lattice="4 0 0 0 4 0 0 0 4" pbc="T maybe F"', "three of T or F"),
        ("Properties=species:S:1:velo:R:3", "must name columns"),
        ("Properties=species:S:²1:pos:R:3", "must name columns"),
    ],
)
def test_a_cell_or_column_that_cannot_be_is_named(write: Write, comment: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        XyzReader()(write("cell.xyz", f"1\n{comment}\nAr 0 0 0\n"))


@pytest.mark.fault("F27")
def test_a_zero_cell_vector_is_right_where_nothing_repeats(write: Write) -> None:
    text = '1\nLattice="4 0 0 0 4 0 0 0 0" pbc="T T F"\nAr 0 0 0\n'
    (record,) = XyzReader()(write("slab.xyz", text))
    assert record.pbc.tolist() == [[True, True, False]]
