from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from intertwiner.errors import DataError
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.readers.mol2 import Mol2Reader

Write = Callable[[str, str], Path]


def mol2(*atoms: str, title: str = "lig", count: int | None = None) -> str:
    """atoms: "C1 0.0 0.0 0.0 C.3"."""
    rows = "".join(f" {index} {text} 1 LIG 0.0\n" for index, text in enumerate(atoms, start=1))
    announced = len(atoms) if count is None else count
    return (
        f"# a comment\n@<TRIPOS>MOLECULE\n{title}\n {announced} 0 0 0 0\nSMALL\nNO_CHARGES\n\n"
        f"@<TRIPOS>ATOM\n{rows}@<TRIPOS>BOND\n"
    )


def test_the_element_is_the_type_before_its_dot(write: Write) -> None:
    atoms = ("C1 0 0 0 C.ar", "CL 1 0 0 Cl", "CO 2 0 0 Co.oh", "H 3 0 0 H.spc")
    (record,) = Mol2Reader()(write("a.mol2", mol2(*atoms)))
    assert record.z.tolist() == [6, 17, 27, 1]
    assert record.pos[:, 0].tolist() == [0, 1, 2, 3]
    assert record.name == "lig"


def test_every_molecule_of_the_file_is_a_record(write: Write) -> None:
    text = mol2("C 0 0 0 C.3") + mol2("N 0 0 0 N.4", "H 1 0 0 H", title="other")
    records = Mol2Reader()(write("two.mol2", text))
    assert [(record.name, len(record.z)) for record in records] == [("lig", 1), ("other", 2)]


@pytest.mark.fault("F20")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (mol2("C1 0 nan 0 C.3"), r"record 1 \(lig\), atom 1 C1 \(line 9\).*not finite"),
        (mol2("C1 0 ****** 0 C.3"), r"line 9, atom 1 C1: y='\*{6}' is no number"),
        (mol2("C1 0 0 C.3"), "is no number"),
        (mol2("C1 0 0 0 C.3", count=2), "2 of atoms announced, 1 atom lines found"),
        (mol2("C1 0 0 0 C.3").replace(" 1 LIG 0.0", "")[:-30], "announced|columns"),
        ("@<TRIPOS>MOLECULE\n", "no number of atoms announced"),
    ],
)
def test_damaged_atoms_are_named_with_record_and_line(write: Write, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Mol2Reader()(write("bad.mol2", text))


@pytest.mark.fault("F23")
@pytest.mark.parametrize("kind", ["Du", "Du.C", "LP"])
def test_dummies_and_lone_pairs_stop_or_are_dropped_and_counted(write: Write, kind: str) -> None:
    path = write("du.mol2", mol2("C 0 0 0 C.3", f"X 1 0 0 {kind}"))
    with pytest.raises(DataError, match="is no element"):
        Mol2Reader()(path)
    (record,), report = Mol2Reader(ReadConfig(dummies="drop")).read(path)
    assert record.z.tolist() == [6]
    assert report.counts == {"dummy atoms dropped": 1}


@pytest.mark.fault("F23")
def test_an_unknown_type_is_named(write: Write) -> None:
    with pytest.raises(DataError, match=r"atom 1 C \(line 9\): unknown element 'Hal'"):
        Mol2Reader()(write("hal.mol2", mol2("C 0 0 0 Hal")))
