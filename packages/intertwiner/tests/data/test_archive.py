from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertwiner.data.archive import Limits, members
from intertwiner.errors import DataError

MODES = {".tar": "w", ".tar.gz": "w:gz", ".tar.bz2": "w:bz2", ".tar.xz": "w:xz"}
SUFFIXES = [*MODES, ".zip"]
names = st.text("abc/._-", min_size=1, max_size=8).filter(
    lambda name: name[0] not in "/" and name[-1] != "/" and ".." not in name and "//" not in name
)


def make(path: Path, files: Mapping[str, bytes]) -> Path:
    suffix = "".join(path.suffixes)
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, MODES[suffix]) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def special(path: Path, kind: bytes, link: str = "target") -> Path:
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("odd")
        info.type, info.linkname = kind, link
        archive.addfile(info)
    return path


def read_all(path: Path, limits: Limits | None = None) -> dict[str, bytes]:
    return {member.name: member.read() for member in members(path, limits)}


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(files=st.dictionaries(names, st.binary(max_size=40), max_size=4))
def test_members_come_with_name_and_content(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, files: dict[str, bytes]
) -> None:
    path = make(tmp_path_factory.mktemp("archive") / f"data{suffix}", files)
    assert read_all(path) == files


def test_the_kind_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    path = make(tmp_path / "data.tar.bz2", {"a": b"1"}).rename(tmp_path / "3195389")
    assert read_all(path) == {"a": b"1"}


def test_folders_are_passed_over(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "data.tar", "w") as archive:
        archive.add(tmp_path, "folder", recursive=False)
    assert read_all(tmp_path / "data.tar") == {}


def test_members_not_read_cost_nothing_and_break_nothing(tmp_path: Path) -> None:
    path = make(tmp_path / "data.tar.gz", {"a": b"1" * 9999, "b": b"2"})
    assert [(member.name, member.size) for member in members(path)] == [("a", 9999), ("b", 1)]


@pytest.mark.fault("F12")
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/evil", "C:/evil", "a\\..\\..\\evil"]
)
def test_a_name_that_climbs_out_is_refused(tmp_path: Path, suffix: str, name: str) -> None:
    path = make(tmp_path / f"data{suffix}", {name: b""})
    with pytest.raises(DataError, match="would lie outside") as caught:
        read_all(path)
    assert str(path) in str(caught.value)
    assert "evil" in str(caught.value)


@pytest.mark.fault("F12")
@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(DataError, match=r"'odd' is a (link|device)"):
        read_all(special(tmp_path / "data.tar", kind))


@pytest.mark.fault("F12")
def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("odd")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match="'odd' is a link"):
        read_all(tmp_path / "data.zip")


@pytest.mark.fault("F12")
@pytest.mark.parametrize("suffix", [".tar.gz", ".tar.bz2", ".tar.xz", ".zip"])
def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path, suffix: str) -> None:
    path = make(tmp_path / f"data{suffix}", {"zeros": b"\0" * 2_000_000})
    with pytest.raises(DataError, match=r"makes 2,00\d,\d+ bytes of an archive of"):
        next(members(path, Limits(free=100_000)))


@pytest.mark.fault("F12")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_many_members_that_make_a_bomb_together_are_refused(tmp_path: Path, suffix: str) -> None:
    path = make(tmp_path / f"data{suffix}", {str(n): b"\0" * 9_000 for n in range(30)})
    with pytest.raises(DataError, match="most is 100,000"):
        read_all(path, Limits(total=100_000))


@pytest.mark.fault("F12")
def test_a_bomb_in_a_header_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "data.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a")
        info.pax_headers = {"comment": "x" * 2_000_000}
        archive.addfile(info)
    with pytest.raises(DataError, match="most is 100,000"):
        read_all(tmp_path / "data.tar.gz", Limits(free=100_000, ratio=1))


@pytest.mark.fault("F12")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_too_many_members_are_refused(tmp_path: Path, suffix: str) -> None:
    path = make(tmp_path / f"data{suffix}", {str(number): b"" for number in range(11)})
    with pytest.raises(DataError, match="'10' comes after 10 others"):
        read_all(path, Limits(count=10))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_small_archive_of_zeros_is_no_bomb(tmp_path: Path, suffix: str) -> None:
    path = make(tmp_path / f"data{suffix}", {"zeros": b"\0" * 1_000_000})
    assert len(read_all(path)["zeros"]) == 1_000_000


@pytest.mark.parametrize("suffix", [".tar.gz", ".tar.bz2", ".tar.xz", ".zip"])
def test_a_truncated_archive_is_named(tmp_path: Path, suffix: str) -> None:
    path = make(tmp_path / f"data{suffix}", {str(n): bytes(range(256)) * 400 for n in range(5)})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="not a whole archive"):
        read_all(path)


@pytest.mark.parametrize("content", [b"", b"<html>no</html>", b"PK but no zip", b"\x1f\x8b no"])
def test_what_is_no_archive_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"data\.zip: not a whole archive"):
        read_all(tmp_path / "data.zip")


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="absent"):
        read_all(tmp_path / "absent")


def test_a_zip_locked_by_a_password_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "data.zip", {"a": b"1"})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(DataError, match="password"):
        read_all(path)
