"""Archives of arrays, looked over before anything is made of them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intertwiner_steerable3d.errors import InvalidInput

__all__ = ["check_offsets", "read_npz"]


def read_npz(path: Path, names: Iterable[str]) -> Mapping[str, NDArray[Any]]:
    """The named arrays. Nothing in the file is executed.

    Raises `InvalidInput` when it is no such archive, or listing the arrays that are missing.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            if not hasattr(file, "files"):
                raise InvalidInput(f"{path}: one array, not an npz archive")
            missing = sorted(set(names) - set(file.files))
            if missing:
                raise InvalidInput(f"{path}: no array {', '.join(missing)}")
            return {name: file[name] for name in names}
    except FileNotFoundError as error:
        raise InvalidInput(f"{path}: no such file; give it with --data.path") from error
    except InvalidInput:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidInput(f"{path}: not an npz archive of plain arrays: {error}") from error


def check_offsets(path: Path, name: str, offsets: NDArray[Any], last: int) -> None:
    """Raises `InvalidInput` unless `offsets` rise from 0 to `last`."""
    if len(offsets) < 2 or offsets[0] != 0 or offsets[-1] != last or (np.diff(offsets) < 0).any():
        raise InvalidInput(f"{path}: {name} must rise from 0 to {last}")
