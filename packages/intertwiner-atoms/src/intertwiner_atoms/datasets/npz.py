"""Arrays from a npz file that can be trusted: digest checked, nothing unpickled."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intertwiner.errors import DataError

__all__ = ["Arrays", "npz_bytes", "read_npz", "require"]

Arrays = dict[str, NDArray[Any]]


def read_npz(path: Path, sha256: str | None = None) -> Arrays:
    """All arrays of the file.

    Raises `DataError` when the file is not there, is not a whole npz, holds pickled objects, or
    has another SHA-256 than `sha256`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise DataError(
            f"{path}: SHA-256 is {found}, expected {sha256}: the file is damaged or was changed; "
            "reinstall or fetch it again"
        )
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (ValueError, EOFError, AttributeError, zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path}: not a npz of plain arrays: {error}") from error


def require(path: Path, arrays: Arrays, names: tuple[str, ...]) -> None:
    """Raises `DataError` naming the arrays of `names` that the file lacks."""
    missing = [name for name in names if name not in arrays]
    if missing:
        raise DataError(
            f"{path}: lacks {', '.join(missing)}; it has {', '.join(sorted(arrays)) or 'nothing'}"
        )


def npz_bytes(arrays: Arrays) -> bytes:
    """The content of a compressed npz file."""
    buffer = io.BytesIO()
    # mypy takes the arrays for numpy's own switch `allow_pickle`
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
