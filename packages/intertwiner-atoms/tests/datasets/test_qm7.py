from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from intertwiner.errors import ConfigError, DataError
from intertwiner_atoms.config import Qm7Config
from intertwiner_atoms.datasets import qm7


def arrays(count: int = 10) -> dict[str, Any]:
    """A file of `count` hydrogen molecules in the form of `qm7.mat`; positions in bohr."""
    charges, places = np.zeros((count, 23)), np.zeros((count, 23, 3))
    charges[:, :2] = 1
    places[:, 1, 0] = 2.1
    folds = np.arange(count).reshape(5, -1)[:, ::-1]
    energies = -100.0 - np.arange(count)[None]
    return {"Z": charges, "R": places, "T": energies, "P": folds, "X": np.zeros((count, 1))}


@pytest.fixture
def save(tmp_path: Path) -> Any:
    def save_mat(**changes: Any) -> Path:
        path = tmp_path / "qm7.mat"
        content = {k: v for k, v in (arrays() | changes).items() if v is not None}
        scipy.io.savemat(path, content)
        return path

    return save_mat


def test_bohr_becomes_angstrom_and_energies_stay(save: Any) -> None:
    dataset = qm7.from_file(Qm7Config(), save())
    record = dataset[3]
    assert record.z.tolist() == [1, 1]
    assert float(record.pos[1, 0]) == pytest.approx(2.1 * 0.529177210903)
    assert record.atomization_energy.tolist() == [-103.0]
    assert record.name == "qm7 3"


def test_a_fold_is_the_test_set_and_the_next_one_for_validation(save: Any) -> None:
    split = qm7.from_file(Qm7Config(fold=4), save()).splits["random"]
    assert split["test"].tolist() == [8, 9]
    assert split["validation"].tolist() == [0, 1]
    assert split["train"].tolist() == [2, 3, 4, 5, 6, 7]
    with pytest.raises(ConfigError, match=r"data\.fold: 5"):
        qm7.from_file(Qm7Config(fold=5), save())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"T": None}, "lacks T"),
        ({"R": np.zeros((10, 22, 3))}, r"R is \(10, 22, 3\), expected \(10, 23, 3\)"),
        ({"P": np.zeros((5, 2))}, "folds P"),
        ({"R": arrays()["R"] * 0.529}, "molecule 0 is 0.588 angstrom.*not in bohr"),
    ],
)
def test_another_file_is_refused(save: Any, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        qm7.from_file(Qm7Config(), save(**changes))


def test_a_web_page_in_its_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "qm7.mat"
    path.write_text("<html>moved</html>" * 99)
    with pytest.raises(DataError, match="not a MATLAB file"):
        qm7.from_file(Qm7Config(), path)


def test_a_file_put_in_place_by_hand_is_taken(
    save: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from intertwiner.data.fetch import local_path
    from intertwiner_atoms._plugin import QM7_SOURCE

    monkeypatch.setenv("INTERTWINER_DATA", str(tmp_path / "cache"))
    place = local_path(QM7_SOURCE, "atoms/qm7")
    place.parent.mkdir(parents=True, exist_ok=True)
    save().rename(place)
    assert len(qm7.load(Qm7Config())) == 10
