"""Reading archives that may lie: members one by one, nothing written to disk.

Refused are names that climb out of a folder, links and devices, and archives whose contents are
out of all proportion to their size. Nothing here imports torch.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from intertwiner.errors import DataError

__all__ = ["Limits", "Member", "members"]

_BROKEN = (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)
_OPENERS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large the contents of an archive may be.

    total: bytes of all members together; count: members.
    ratio: bytes of contents for each byte of the archive, once they exceed `free` bytes.
    """

    total: int = 16 << 30
    count: int = 2_000_000
    ratio: float = 200.0
    free: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive. `content` can be read until the next member is asked for."""

    archive: Path
    name: str
    size: int
    content: IO[bytes]

    def read(self) -> bytes:
        """All of the file. Raises `DataError` when the archive is damaged."""
        try:
            return self.content.read()
        except _BROKEN as error:
            raise _broken(self.archive, error) from error


def members(path: Path, limits: Limits | None = None) -> Iterator[Member]:
    """The regular files in a zip or tar archive (plain, gzip, bzip2 or xz), in stored order.

    Raises `DataError` naming the archive and the member when something is to be refused, and when
    the archive is broken or none at all.
    """
    try:
        guard = _Guard(path, limits or Limits())
        zipped = _magic(path).startswith(b"PK")
        yield from _zip_members(path, guard) if zipped else _tar_members(path, guard)
    except _BROKEN as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: not a whole archive: {error or type(error).__name__}")


class _Guard:
    """Adds up what comes out of the archive at `path` and raises when it is too much."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self.limits = limits
        self.most = min(limits.total, max(limits.free, int(limits.ratio * path.stat().st_size)))
        self.count = 0

    def admit(self, name: str, size: int, kind: str | None) -> None:
        """Lets a member in. kind: what else than a regular file it is."""
        self.count += 1
        if kind is not None:
            raise self._refusal(name, f"is a {kind}")
        steps = name.replace("\\", "/").split("/")
        if ".." in steps or steps[0] == "" or ":" in steps[0] or "\0" in name:
            raise self._refusal(name, "would lie outside the archive's folder")
        if self.count > self.limits.count:
            raise self._refusal(name, f"comes after {self.limits.count:,} others")
        self.bound(name, size)

    def bound(self, name: str, size: int) -> None:
        """Refuses contents of `size` bytes in all when that is too much."""
        if size > self.most:
            packed = self.path.stat().st_size
            raise self._refusal(
                name, f"makes {size:,} bytes of an archive of {packed:,}, most is {self.most:,}"
            )

    def _refusal(self, name: str, reason: str) -> DataError:
        return DataError(
            f"{self.path}: member {name!r} {reason}; refused, get the archive from its source again"
        )


def _zip_members(path: Path, guard: _Guard) -> Iterator[Member]:
    total = 0
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            total += info.file_size
            guard.admit(info.filename, total, _zip_kind(info))
            with archive.open(info) as content:
                yield Member(path, info.filename, info.file_size, content)


def _zip_kind(info: zipfile.ZipInfo) -> str | None:
    if info.flag_bits & 1:
        return "file locked by a password"
    mode = stat.S_IFMT(info.external_attr >> 16)
    return None if mode in (0, stat.S_IFREG) else "link or device"


def _tar_members(path: Path, guard: _Guard) -> Iterator[Member]:
    with _open(path) as raw, tarfile.open(fileobj=_Counted(raw, guard), mode="r|") as archive:
        for info in archive:
            if info.isdir():
                continue
            guard.admit(info.name, info.offset + info.size, None if info.isreg() else _kind(info))
            content = archive.extractfile(info)
            if content is not None:
                with content:
                    yield Member(path, info.name, info.size, content)


def _open(path: Path) -> IO[bytes]:
    """The file's bytes, decompressed."""
    for start, opener in _OPENERS.items():
        if _magic(path).startswith(start):
            found: IO[bytes] = opener(path)
            return found
    return path.open("rb")


def _magic(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(6)


def _kind(info: tarfile.TarInfo) -> str:
    return f"link to {info.linkname!r}" if info.issym() or info.islnk() else "device"


class _Counted(io.RawIOBase):
    """Passes bytes on and counts them, so that no header can lie about what is to come."""

    def __init__(self, raw: IO[bytes], guard: _Guard) -> None:
        self._raw = raw
        self._guard = guard
        self._count = 0

    def read(self, size: int = -1) -> bytes:
        data = self._raw.read(size)
        self._count += len(data)
        self._guard.bound("(end)", self._count)
        return data
