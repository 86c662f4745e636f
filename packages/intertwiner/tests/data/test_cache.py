from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from intertwiner.data.cache import VARIABLE, cache_folder, dataset_folder, make_folder
from intertwiner.errors import DataError


def test_the_variable_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert cache_folder() == tmp_path
    assert dataset_folder("atoms/qm9") == tmp_path / "atoms" / "qm9"


@pytest.mark.parametrize("value", [None, "", "  "])
def test_without_the_variable_it_is_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    assert cache_folder().is_relative_to(tmp_path)
    assert "intertwiner" in cache_folder().parts


def test_a_tilde_and_a_relative_folder_become_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(VARIABLE, "~/data")
    assert cache_folder() == tmp_path / "data"
    monkeypatch.setenv(VARIABLE, "data")
    assert cache_folder() == Path.cwd() / "data"


@pytest.mark.parametrize("dataset", ["../evil", "/etc", "atoms/../..", "", "a/b/c", "Atoms/QM9"])
def test_what_is_no_id_names_no_folder(dataset: str) -> None:
    with pytest.raises(DataError, match="no dataset id"):
        dataset_folder(dataset)


@pytest.mark.fault("F10")
def test_a_folder_that_cannot_be_made_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file" / "data"))
    with pytest.raises(DataError, match=f"Not a directory.*{VARIABLE} .*now") as caught:
        make_folder(cache_folder())
    assert str(tmp_path / "file" / "data") in str(caught.value)


@pytest.mark.fault("F10")
def test_a_read_only_folder_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(Path, "mkdir", read_only)
    with pytest.raises(DataError, match=f"Read-only file system.*{VARIABLE}.*not set now"):
        make_folder(tmp_path / "new")


@pytest.mark.fault("F10")
def test_a_folder_without_permission_to_write_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(DataError, match=f"not writable.*{VARIABLE}"):
        make_folder(tmp_path)


def test_asking_for_the_folder_makes_nothing_and_brings_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from intertwiner.data import cache, fetch; cache.cache_folder();"
        "sys.exit('torch' in sys.modules)"
    )
    environment = {**os.environ, VARIABLE: str(tmp_path / "new")}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert not (tmp_path / "new").exists()
