from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from intertwiner.errors import DataError
from intertwiner_atoms.datasets.npz import npz_bytes, read_npz, require


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.npz"
    path.write_bytes(npz_bytes({"z": np.arange(3), "pos": np.zeros((3, 3))}))
    return path


def test_arrays_come_back(file: Path) -> None:
    arrays = read_npz(file, hashlib.sha256(file.read_bytes()).hexdigest())
    assert arrays["z"].tolist() == [0, 1, 2]


@pytest.mark.fault("F03")
def test_one_flipped_bit_shows_both_digests(file: Path) -> None:
    content = bytearray(file.read_bytes())
    right = hashlib.sha256(content).hexdigest()
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match=f"SHA-256 is [0-9a-f]{{64}}, expected {right}"):
        read_npz(file, right)


@pytest.mark.fault("F04")
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"<html></html>"])
def test_a_file_that_is_no_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.npz: not a npz"):
        read_npz(path)


@pytest.mark.fault("F04")
def test_a_truncated_file_and_a_missing_one_are_refused(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(DataError, match="not a npz"):
        read_npz(file)
    with pytest.raises(DataError, match="No such file"):
        read_npz(file.with_name("none.npz"))


@pytest.mark.fault("F05")
def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pickled.npz"
    np.savez(path, evil=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="not a npz of plain arrays"):
        read_npz(path)


def test_missing_arrays_are_named(file: Path) -> None:
    with pytest.raises(DataError, match="lacks energy; it has pos, z"):
        require(file, read_npz(file), ("z", "energy"))
