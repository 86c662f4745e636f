from __future__ import annotations

import io
import logging
import tarfile
from pathlib import Path
from typing import Any

import pytest
import torch

from intertwiner.errors import DataError
from intertwiner_atoms.config import Qm9Config
from intertwiner_atoms.datasets import qm9
from intertwiner_atoms.datasets.qm9_text import HARTREE, parse_molecule
from intertwiner_atoms.quantities import QM9_TARGETS, names

VALUES = (
    *("157.7", "157.7", "157.7", "1.5", "13.2", "-0.38", "0.11", "0.49", "35.3", "0.04"),
    *("-40.0", "-40.1", "-40.2", "-40.3", "6.4"),
)
REFERENCES = "\n".join(
    [
        "=====",
        " Ele-  ZPVE  U (0 K)  U (298.15 K)  H (298.15 K)  G (298.15 K)  CV",
        " ment  Hartree  Hartree  Hartree  Hartree  Hartree  Cal/(Mol Kelvin)",
        "=====",
        " H  0.0  -0.5  -0.4  -0.3  -0.2  2.981",
        " C  0.0  -37.5  -37.4  -37.3  -37.2  2.981",
        "=====",
    ]
)
UNCHARACTERIZED = "header\n\n  Index  smiles\n      2  C  C\n\nfooter\n"


def molecule(index: int, charge: str = "-0.5") -> str:
    return (
        f"5\ngdb {index}\t" + "\t".join(VALUES) + "\n"
        f"C\t-0.01\t1.08\t0.008\t{charge}\n"
        "H\t 0.002\t-6.0*^-3\t 0.0019\t 0.13\n"
        "H\t 1.01\t 1.46\t 0.0002\t 0.13\n"
        "H\t-0.54\t 1.44\t-0.87\t 0.13\n"
        "H\t-0.52\t 1.43\t 0.9\t 0.13\n"
        "1341.3\t1341.3\nC\tC\nInChI=1S/CH4/h1H4\tInChI=1S/CH4/h1H4\n"
    )


def archive(path: Path, members: dict[str, str]) -> Path:
    with tarfile.open(path, "w:bz2") as file:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            file.addfile(info, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def files(tmp_path: Path) -> qm9.Qm9Files:
    found = qm9.Qm9Files(
        archive(
            tmp_path / "dsgdb9nsd.xyz.tar.bz2",
            {f"dsgdb9nsd_{index:06d}.xyz": molecule(index) for index in (3, 1, 2)},
        ),
        tmp_path / "uncharacterized.txt",
        tmp_path / "atomref.txt",
    )
    found.uncharacterized.write_text(UNCHARACTERIZED)
    found.references.write_text(REFERENCES)
    return found


def test_a_molecule_is_read_with_its_odd_exponents() -> None:
    found = parse_molecule(molecule(7), "x")
    assert found.index == 7
    assert found.z.tolist() == [6, 1, 1, 1, 1]
    assert found.pos[1].tolist() == [0.002, -0.006, 0.0019]
    assert found.charges[0] == -0.5
    assert found.values[3] == 1.5


def test_uncharacterized_molecules_are_dropped_by_default_and_counts_are_said(
    files: qm9.Qm9Files, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        dataset = qm9.from_files(Qm9Config(), files)
    assert [record.name for record in dataset] == ["gdb 1", "gdb 3"]
    assert "3 molecules, 2 used" in caplog.text
    assert len(qm9.from_files(Qm9Config(uncharacterized="keep"), files)) == 3


def test_units_and_references_are_as_declared(files: qm9.Qm9Files) -> None:
    record = qm9.from_files(Qm9Config(), files)[0]
    assert set(names(QM9_TARGETS)) <= set(record.keys())
    assert float(record.mu) == 1.5
    assert float(record.alpha) == pytest.approx(13.2)
    assert float(record.homo) == pytest.approx(-0.38 * HARTREE)
    assert float(record.zpve) == pytest.approx(0.04 * HARTREE)
    assert float(record.U0) == pytest.approx((-40.0 + 37.5 + 4 * 0.5) * HARTREE, rel=1e-5)
    assert float(record.G) == pytest.approx((-40.3 + 37.2 + 4 * 0.2) * HARTREE, rel=1e-5)
    assert float(record.Cv) == pytest.approx(6.4)
    total = qm9.from_files(Qm9Config(atom_reference=False), files)[0]
    assert float(total.U0) == pytest.approx(-40.0 * HARTREE)


def test_the_parsed_archive_is_kept_for_the_next_time(
    files: qm9.Qm9Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = qm9.from_files(Qm9Config(), files)
    monkeypatch.setattr(qm9, "parse_molecule", None)
    again = qm9.from_files(Qm9Config(), files)
    assert all(torch.equal(a.pos, b.pos) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("5\ngdb", "x\ngdb", "line 1: must be the number of atoms"),
        ("5\ngdb", "50\ngdb", "50 atoms announced, the file ends in line 10"),
        ("6.4\n", "\n", "line 2: a tag, a number and 15 values"),
        ("13.2", "nan", "line 2: 'nan' is no finite number"),
        ("C\t-0.01", "Qq\t-0.01", "line 3: .*must be element"),
        ("-0.54", "********", r"line 6: '\*{8}' is no finite number"),
    ],
)
def test_a_damaged_molecule_is_named_with_line_and_value(old: str, new: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        parse_molecule(molecule(1).replace(old, new), "file")


@pytest.mark.fault("F12")
def test_an_archive_with_a_member_outside_is_refused(files: qm9.Qm9Files, tmp_path: Path) -> None:
    files.archive.unlink()
    archive(files.archive, {"../../evil.xyz": molecule(1)})
    with pytest.raises(DataError, match=r"\.\./\.\./evil\.xyz"):
        qm9.from_files(Qm9Config(), files)


@pytest.mark.fault("F12")
def test_a_truncated_archive_leaves_nothing_behind(files: qm9.Qm9Files) -> None:
    files.archive.write_bytes(files.archive.read_bytes()[:200])
    with pytest.raises(DataError, match="not a whole archive"):
        qm9.from_files(Qm9Config(), files)
    assert not list(files.archive.parent.glob("*.npz"))


def test_an_element_without_reference_is_named(files: qm9.Qm9Files) -> None:
    files.references.write_text(REFERENCES.replace(" C  0.0", " N  0.0"))
    with pytest.raises(DataError, match=r"no reference for elements \[6\]"):
        qm9.from_files(Qm9Config(), files)


def test_only_the_chosen_targets_are_carried(files: qm9.Qm9Files) -> None:
    record: Any = qm9.from_files(Qm9Config(targets=("mu",)), files)[0]
    assert "mu" in record
    assert "U0" not in record
    assert torch.isfinite(record.mu).all()
