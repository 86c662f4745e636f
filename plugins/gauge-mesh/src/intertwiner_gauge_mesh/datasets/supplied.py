"""Where a dataset lies that only the user can supply."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from intertwiner.data.cache import dataset_folder
from intertwiner.errors import ConfigError

__all__ = ["supplied"]


def supplied(path: str, dataset: str, names: Sequence[str], what: str) -> Path:
    """`path`, or the first of `names` that is in the data folder of `dataset`.

    Raises `ConfigError` that says what is wanted and where it can be put.
    """
    if path:
        return Path(path).expanduser()
    folder = dataset_folder(dataset)
    for name in names:
        if (folder / name).exists():
            return folder / name
    raise ConfigError(
        f"data.path: name {what} with --data.path, or put it in {folder} as {' or '.join(names)}"
    )
