"""Files of the user: the right rows, scaffolds of the fixtures, and every kind of bad row."""

from __future__ import annotations

import gzip
import logging
from pathlib import Path

import numpy as np
import pytest

from intertwiner.config import build
from intertwiner.errors import ConfigError, DataError
from intertwiner_fedchem.config import MoleculeNetConfig
from intertwiner_fedchem.data import moleculenet
from intertwiner_fedchem.data.csv_table import read_csv
from intertwiner_fedchem.data.moleculenet_files import FILES

pytest.importorskip("rdkit")


def config(**settings: object) -> MoleculeNetConfig:
    return build(MoleculeNetConfig, settings)


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["freesolv", "esol", "bace"])
def test_a_set_has_the_rows_and_scaffolds_of_the_benchmark(
    moleculenet: Path, parity_folder: Path, name: str
) -> None:
    from intertwiner_fedchem.data import moleculenet as module

    dataset = getattr(module, name.upper()).load(config(split="official"))
    stored = np.load(parity_folder / "official_partition.npz")
    labels = stored[f"{'BACE' if name == 'bace' else name}.scaffold_label"]
    assert [int(record.scaffold) for record in dataset.records] == labels.tolist()
    assert {field.name for field in FILES if field.name == name} == {name}


def test_missing_classes_are_marked_and_never_negative(moleculenet: Path) -> None:
    file = next(file for file in FILES if file.name == "tox21")
    path = moleculenet / file.filename
    found = read_csv(path, file.smiles, file.columns, classes=True)
    assert np.isnan(found.labels).mean() == pytest.approx(0.1705, abs=1e-4)
    assert set(np.unique(found.labels[~np.isnan(found.labels)])) == {0.0, 1.0}


def test_the_distinct_features_of_solubility_are_few(moleculenet: Path) -> None:
    from intertwiner_fedchem.data import moleculenet as module

    dataset = module.ESOL.load(config())
    atoms = np.unique(np.concatenate([r.atom_code.numpy() for r in dataset.records]))
    bonds = np.unique(np.concatenate([r.bond_code.numpy() for r in dataset.records]))
    assert (len(atoms), len(bonds) + 1) == (44, 15)  # self-loops are a type of their own


def test_without_a_file_both_ways_to_give_it_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERTWINER_DATA", str(tmp_path))
    with pytest.raises(ConfigError, match=r"delaney.*--data\.path.*INTERTWINER_DATA"):
        moleculenet.ESOL.load(config())


@pytest.mark.fault("F26")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("smiles,other\nC,1\n", "no column 'freesolv'; there are: smiles, other"),
        ("smiles,freesolv\nC,1\nCC,high\n", "row 2, column 'freesolv': 'high' is no number"),
        ("smiles,freesolv\nC,inf\n", "row 1, column 'freesolv': 'inf'"),
        ("smiles,freesolv\nC,1\nCC\n", "row 2: not as many fields"),
        ("smiles,freesolv\n", "no rows"),
        ("", "no column"),
        ("smiles,freesolv\nC,1\nC(,2\n,3\n", r"row\(s\) 2, 3 are no molecules .*cannot parse"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        moleculenet.FREESOLV.load(config(path=str(table(tmp_path, text))))


@pytest.mark.fault("F26")
def test_a_class_is_0_or_1(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 1, column 'Class': '2' is neither 0 nor 1"):
        moleculenet.BACE.load(config(path=str(table(tmp_path, "mol,Class\nC,2\n"))))


@pytest.mark.fault("F26")
def test_bad_rows_are_dropped_on_request_and_labels_may_be_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = "".join(f"{'C' * n},{n}.5\n" for n in range(1, 21))
    path = table(tmp_path, f"smiles,freesolv\nC(,1\n{rows}CCO,\n")
    with caplog.at_level(logging.WARNING):
        dataset = moleculenet.FREESOLV.load(config(path=str(path), failing="drop"))
    assert "row(s) 1 are no molecules" in caplog.text
    assert "SHA-256" in caplog.text
    assert len(dataset) == 21
    assert dataset[0].hydration_energy.item() == 1.5
    assert bool(dataset[20].hydration_energy.isnan())


def test_another_file_has_no_official_split(tmp_path: Path) -> None:
    path = table(tmp_path, "smiles,freesolv\nC,1\n")
    with pytest.raises(DataError, match="SHA-256 .* has 97d74c86228d4c16"):
        moleculenet.FREESOLV.load(config(path=str(path), split="official"))


def test_a_compressed_table_is_read_as_a_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "table.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write(
            "smiles,activity,HIV_active\n" + "".join(f"{'C' * n},CI,0\n" for n in range(1, 21))
        )
    assert len(moleculenet.HIV.load(config(path=str(path)))) == 20
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(DataError, match="not a CSV file that can be read"):
        moleculenet.HIV.load(config(path=str(path)))


def test_elements_without_a_column_are_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = "".join(f"{'C' * n}[Te]C,{n}\n" for n in range(1, 21))
    with caplog.at_level(logging.WARNING):
        moleculenet.FREESOLV.load(config(path=str(table(tmp_path, f"smiles,freesolv\n{rows}"))))
    said = [line for line in caplog.messages if "without a column" in line]
    assert len(said) == 1
    assert "20 atom(s) of elements and 0 of degrees" in said[0]
