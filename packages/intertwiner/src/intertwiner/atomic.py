"""Files that are whole or not there: temporary file, fsync, rename, fsync of the folder.

A process killed at any moment leaves the old file or the new one, and at worst a temporary file
`.{name}.{pid}.{random}.partial` beside it, which `remove_orphans` clears at the next start.
Nothing here imports torch.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable
from io import FileIO
from pathlib import Path

from intertwiner.errors import RunError

__all__ = ["digest", "remove_orphans", "replace_durably", "write_atomically"]

_ORPHAN = re.compile(r"\..+\.(\d+)\.[0-9a-f]{8}\.partial")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_in_progress: set[Path] = set()


def write_atomically(
    path: Path, chunks: Iterable[bytes | memoryview], *, setting: str = "--out"
) -> str:
    """Writes `chunks` one after another to `path` and returns their SHA-256 as hex.

    Whatever was at `path` stays until the new file is safely on disk.
    setting: the flag or variable by which the user chose the folder, named in errors.

    Raises `RunError` when the folder is missing or read-only, and when the disk is full.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.partial")
    _in_progress.add(partial)
    writer = _Writer()
    try:
        with _create(partial, path, setting) as file:
            writer.write(file, chunks)
        replace_durably(partial, path)
    except OSError as error:
        raise _write_error(error, path, writer, setting) from error
    finally:
        partial.unlink(missing_ok=True)
        _in_progress.discard(partial)
    return writer.sha256.hexdigest()


class _Writer:
    """Writes and counts: bytes asked for so far, bytes on disk so far, digest."""

    def __init__(self) -> None:
        self.wanted = 0
        self.written = 0
        self.sha256 = hashlib.sha256()

    def write(self, file: FileIO, chunks: Iterable[bytes | memoryview]) -> None:
        for chunk in chunks:
            view = memoryview(chunk)
            if view.nbytes:
                self._write_one(file, view.cast("B"))
        os.fsync(file.fileno())

    def _write_one(self, file: FileIO, view: memoryview) -> None:
        self.wanted += view.nbytes
        self.sha256.update(view)
        while view:
            count = file.write(view)
            self.written += count
            view = view[count:]


def _create(partial: Path, path: Path, setting: str) -> FileIO:
    try:
        return FileIO(partial, "x")
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise RunError(
            f"{path}: cannot write to the folder {path.parent} "
            f"({error.strerror}); create it, make it writable, or set {setting} to another folder"
        ) from error


def _write_error(error: OSError, path: Path, writer: _Writer, setting: str) -> RunError:
    progress = f"{writer.written:,} of at least {writer.wanted:,} bytes written"
    if error.errno not in _FULL:
        return RunError(f"{path}: {error.strerror} after {progress}; set {setting} elsewhere")
    free = shutil.disk_usage(path.parent).free
    return RunError(
        f"{path}: {error.strerror}: {progress}, {free:,} bytes free; what was there before is "
        f"untouched; free some space (or raise the limit) or set {setting} to another disk"
    )


def replace_durably(source: Path, target: Path) -> None:
    """Renames the finished file `source` to `target` so that a power cut cannot undo it."""
    source.replace(target)
    if os.name != "posix":
        return
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_orphans(folder: Path) -> list[Path]:
    """Deletes temporary files that dead processes left in `folder`; returns what was deleted.

    Files of live processes stay. A missing folder has no orphans.
    """
    if not folder.is_dir():
        return []
    orphans = [path for path in sorted(folder.iterdir()) if _is_orphan(path)]
    for path in orphans:
        path.unlink(missing_ok=True)
    return orphans


def _is_orphan(path: Path) -> bool:
    match = _ORPHAN.fullmatch(path.name)
    if match is None or path in _in_progress:
        return False
    # Our own number on a file we are not writing: a namesake of before a restart.
    return int(match[1]) == os.getpid() or not _is_alive(int(match[1]))


def _is_alive(pid: int) -> bool:
    if os.name != "posix":
        return True  # signal 0 would reach the process there
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def digest(path: Path) -> str:
    """The SHA-256 of the file at `path`, as hex.

    Raises `RunError` when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror})") from error
