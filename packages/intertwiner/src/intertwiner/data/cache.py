"""Where downloaded data lies: the folder named by `INTERTWINER_DATA`, else the user's cache.

Nothing here imports torch.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import platformdirs

from intertwiner.errors import DataError

__all__ = ["VARIABLE", "cache_folder", "dataset_folder", "make_folder", "unwritable"]

VARIABLE = "INTERTWINER_DATA"
_ID = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)?")


def cache_folder() -> Path:
    """The folder of all downloaded data. It need not exist yet."""
    chosen = os.environ.get(VARIABLE, "").strip()
    if chosen:
        return Path(chosen).expanduser().absolute()
    return platformdirs.user_cache_path("intertwiner", appauthor=False) / "data"


def dataset_folder(dataset: str) -> Path:
    """The folder of one dataset, such as `atoms/qm9`. It need not exist yet.

    Raises `DataError` when `dataset` is no id.
    """
    if _ID.fullmatch(dataset) is None:
        raise DataError(f"{dataset!r} is no dataset id; write for example 'atoms/qm9'")
    return cache_folder() / dataset


def make_folder(folder: Path) -> Path:
    """`folder`, made where missing and fit to be written to.

    Raises `DataError` naming the folder and the variable that chooses another one.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error.strerror or str(error)) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise unwritable(folder, "not writable")
    return folder


def unwritable(folder: Path, reason: str) -> DataError:
    """The error for a cache that cannot be written to."""
    shown = os.environ.get(VARIABLE, "").strip()
    now = f"it is {shown!r} now" if shown else "it is not set now"
    return DataError(
        f"{folder}: data cannot be stored there ({reason}); make the folder writable, or set the "
        f"environment variable {VARIABLE} to one that is ({now})"
    )
