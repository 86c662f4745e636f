"""Where data lie that only the user can supply."""

from __future__ import annotations

from pathlib import Path

from intertwiner.data.cache import dataset_folder
from intertwiner.errors import ConfigError

__all__ = ["supplied"]


def supplied(path: str, dataset: str, name: str, what: str) -> Path:
    """`path`, or `name` in the data folder of `dataset`.

    Raises `ConfigError` that says what is wanted and where it can be put.
    """
    if path:
        return Path(path).expanduser()
    folder = dataset_folder(f"steerable3d/{dataset}")
    if (folder / name).exists():
        return folder / name
    raise ConfigError(f"data.path: name {what} with --data.path, or put it in {folder} as {name}")
