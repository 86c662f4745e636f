"""Tables and folders of the user's own: units are mandatory, losses have reasons."""

from __future__ import annotations

from pathlib import Path

import pytest

from intertwiner.errors import ConfigError, DataError
from intertwiner_atomic_conv.config import AffinityFilesConfig
from intertwiner_atomic_conv.datasets.affinity_files import load
from intertwiner_atomic_conv.errors import InvalidInput

HEAD = "id,protein,ligand,affinity,unit,year"


@pytest.fixture
def table(tmp_path: Path, structure_texts: tuple[str, str]) -> Path:
    """Twelve complexes, one affinity in three units, one without a label, one without a file."""
    pytest.importorskip("intertwiner_atoms")
    (tmp_path / "p.pdb").write_text(structure_texts[0])
    (tmp_path / "l.sdf").write_text(structure_texts[1])
    cells = ["5,nM", "5000,pM", "8.30103,pK", ",nM", *["7,pK"] * 8]
    rows = [f"c{n},p.pdb,l.sdf,{cell},{2000 + n}" for n, cell in enumerate(cells)]
    rows[5] = rows[5].replace("l.sdf", "none.sdf")
    path = tmp_path / "table.csv"
    path.write_text("\n".join([HEAD, *rows]))
    return path


def test_a_value_in_three_units_is_one_label_and_losses_are_told(
    table: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("WARNING"):
        dataset = load(AffinityFilesConfig(path=str(table), split="temporal"))
    assert [str(record.name) for record in dataset][:4] == ["c0", "c1", "c2", "c4"]
    for record in list(dataset)[:3]:
        assert float(record.pK) == pytest.approx(8.30103, abs=1e-4)
        assert float(record.dG) == pytest.approx(-1.3643 * 8.30103, abs=1e-3)
    assert "c3 left out: no finite label" in caplog.text
    assert "none.sdf" in caplog.text
    years = {
        part: [float(record.year) for record in dataset.part(part, "temporal")]
        for part in ("train", "test")
    }
    assert max(years["train"]) < min(years["test"])


@pytest.mark.fault("F26")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("5,nM", "5,", "c0: unit ''.*unit required: one of pK, kcal/mol"),
        ("5,nM", "5,nanomolar", "unit 'nanomolar'"),
        ("5,nM", "0,nM", "0nM of c0: must be positive"),
        ("5,nM", "inf,nM", "row 1: affinity='inf' is no finite number"),
        (",affinity,", ",value,", "the table has no column 'affinity'"),
    ],
)
def test_a_table_that_says_too_little_is_refused(
    table: Path, old: str, new: str, said: str
) -> None:
    table.write_text(table.read_text().replace(old, new))
    with pytest.raises(DataError, match=said):
        load(AffinityFilesConfig(path=str(table)))


def test_a_split_by_year_needs_years(table: Path) -> None:
    table.write_text(table.read_text().replace(",2004", ","))
    with pytest.raises(ConfigError, match="not every complex has a year"):
        load(AffinityFilesConfig(path=str(table), split="temporal"))
    with pytest.raises(ConfigError, match=r"--data\.path PATH"):
        load(AffinityFilesConfig())


def test_folders_in_openff_form(shared_structures: Path) -> None:
    dataset = load(AffinityFilesConfig(path=str(shared_structures), split="target"))
    records = {str(record.name): record for record in dataset}
    assert len(records) > 100
    assert float(records["hif2a lig_1"].pK) == pytest.approx(8.30103, abs=1e-4)
    parts = [
        {str(record.name).split()[0] for record in dataset.part(part, "target")}
        for part in ("train", "validation", "test")
    ]
    assert not parts[0] & parts[2]


def test_a_measurement_that_is_no_number_is_refused(
    tmp_path: Path, structure_texts: tuple[str, str]
) -> None:
    pytest.importorskip("intertwiner_atoms")
    (tmp_path / "protein.pdb").write_text(structure_texts[0])
    (tmp_path / "ligands.sdf").write_text(structure_texts[1])
    labels = tmp_path / "ligands.yml"
    labels.write_text("methanol:\n  measurement: {type: ki, unit: uM, value: high}\n")
    with pytest.raises(DataError, match="the value of methanol is 'high', no number"):
        load(AffinityFilesConfig(path=str(tmp_path)))
    labels.write_text("methanol:\n  measurement: {type: ki, unit: mg, value: 3.0}\n")
    with pytest.raises(InvalidInput, match="unit 'mg'"):
        load(AffinityFilesConfig(path=str(tmp_path)))
