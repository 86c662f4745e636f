"""Official files of datasets: downloaded once, checked always, or put in place by hand.

Beside a checked file lies `.{name}.checked.json` with its digest, size and time, so that the next
use need not read all of it again; `verify` does. Nothing here imports torch.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from intertwiner.atomic import digest, replace_durably
from intertwiner.data import _http
from intertwiner.data._part import Part
from intertwiner.data._progress import show_progress
from intertwiner.data.cache import dataset_folder, make_folder, unwritable
from intertwiner.errors import DataError, RunError
from intertwiner.specs import Source

__all__ = ["fetch", "local_path", "verify"]

_log = logging.getLogger(__name__)


def local_path(source: Source, dataset: str) -> Path:
    """Where the file of `source` lies, or belongs when put there by hand."""
    if Path(source.filename).name != source.filename:
        raise DataError(f"{dataset}: {source.filename!r} must be a plain file name")
    return dataset_folder(dataset) / source.filename


def fetch(source: Source, dataset: str, *, progress: bool = True) -> Path:
    """The file of `source`, downloaded unless it is there, and checked.

    One process downloads while others wait; a broken download is resumed by the next call. A file
    put there by hand is taken after its checksum; one without a published checksum is taken as it
    is, and its digest recorded and said.

    progress: show a bar on standard error when that is a terminal.

    Raises `DataError` when it cannot be had, or is not the right file: then it is moved to
    `{name}.quarantine` and both digests are named.
    """
    path = local_path(source, dataset)
    if _is_checked(path, source):
        return path
    if path.is_file() and not os.access(path.parent, os.W_OK):
        verify(source, dataset)
        return path
    with _only_process(path):
        if path.is_file():
            if not _is_checked(path, source):
                _check(path, path, source)
        else:
            _download(path, source, progress)
    return path


def verify(source: Source, dataset: str) -> str:
    """Reads the whole file again and returns its SHA-256 as hex.

    Raises `DataError` when it is missing, or is not the right file (quarantined as by `fetch`).
    """
    path = local_path(source, dataset)
    if not path.is_file():
        raise DataError(
            f"{path}: not there; run 'intertwiner data fetch {dataset}', or put {source.url} there"
        )
    return _check(path, path, source)


def _download(path: Path, source: Source, progress: bool) -> None:
    part = Part(path.with_name(path.name + ".part"))
    page = path.suffix in (".html", ".htm")
    try:
        with show_progress(path.name, progress) as report:
            _http.download(source.url, part, report, page=page)
    except _http.Unserved as error:
        raise DataError(f"{error}; try again later, or put the file at {path} by hand") from error
    try:
        _check(part.path, path, source)
        replace_durably(part.path, path)
    finally:
        part.discard()


def _check(file: Path, path: Path, source: Source) -> str:
    """The digest of `file`, which is at `path` or about to be; recorded when right."""
    try:
        seen = digest(file)
    except RunError as error:
        raise DataError(str(error)) from error
    known = source.sha256 or _notes(path).get("sha256")
    if known and seen != known.lower():
        raise _quarantine(file, path, source, seen, known)
    if not known:
        _log.warning("%s: no published checksum (%s); SHA-256 is %s", path, source.note, seen)
    _record(file, path, seen)
    return seen


def _quarantine(file: Path, path: Path, source: Source, seen: str, known: str) -> DataError:
    aside = path.with_name(path.name + ".quarantine")
    try:
        file.replace(aside)
        moved = f"it was moved to {aside}"
    except OSError as error:
        moved = f"it could not be moved aside ({error.strerror})"
    _notes_path(path).unlink(missing_ok=True)
    whose = "published" if source.sha256 else "recorded before"
    return DataError(
        f"{path}: SHA-256 is {seen}, {whose} is {known}; {moved}; fetch it again from {source.url}"
    )


def _notes_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.checked.json")


def _notes(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        found = json.loads(_notes_path(path).read_text("utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def _record(file: Path, path: Path, seen: str) -> None:
    status = file.stat()
    notes = {"sha256": seen, "bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
    with suppress(OSError):  # a shared cache may be read-only; then the file is read every time
        _notes_path(path).write_text(json.dumps(notes), "utf-8")


def _is_checked(path: Path, source: Source) -> bool:
    """Whether `path` was found right before and has not been touched since."""
    notes = _notes(path)
    if not notes or not path.is_file():
        return False
    status = path.stat()
    return notes == {
        "sha256": (source.sha256 or str(notes.get("sha256"))).lower(),
        "bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
    }


@contextmanager
def _only_process(path: Path) -> Iterator[None]:
    """Holds the lock of `path`, says so when another process has it."""
    make_folder(path.parent)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            _log.warning("%s: waiting for another process that is fetching it", path)
            lock.acquire()
    except OSError as error:
        raise unwritable(path.parent, error.strerror or str(error)) from error
    try:
        yield
    finally:
        lock.release()
