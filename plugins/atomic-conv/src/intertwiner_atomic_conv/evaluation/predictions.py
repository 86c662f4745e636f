"""Predictions kept in a folder, so that a long comparison can stop and go on."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from intertwiner.atomic import write_atomically
from intertwiner.data.cache import make_folder
from intertwiner.errors import DataError

__all__ = ["PredictionStore", "Predictions"]


@dataclass(frozen=True, slots=True)
class Predictions:
    """Out-of-fold predictions (pK) of one method on one shuffle of a split, one per complex, and
    the CPU seconds that fitting and predicting took."""

    split: str
    shuffle: int
    method: str
    values: tuple[float, ...]
    seconds: float


class PredictionStore:
    """One JSON file for each method on each shuffle; with no folder nothing is kept."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def get(self, split: str, shuffle: int, method: str, count: int) -> Predictions | None:
        """What was kept, None when nothing was.

        Raises `DataError` for a file that is damaged or of another number of complexes.
        """
        path = self._path(split, shuffle, method)
        if path is None or not path.exists():
            return None
        try:
            content = json.loads(path.read_text())
            found = Predictions(**{**content, "values": tuple(content["values"])})
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: not a file of predictions: {error}; delete it") from error
        if len(found.values) != count:
            raise DataError(
                f"{path}: {len(found.values)} predictions for {count} complexes; it is of other "
                "data: give another folder"
            )
        return found

    def put(self, found: Predictions) -> None:
        path = self._path(found.split, found.shuffle, found.method)
        if path is not None:
            make_folder(path.parent)
            write_atomically(path, [json.dumps(asdict(found)).encode()])

    def _path(self, split: str, shuffle: int, method: str) -> Path | None:
        if self.folder is None:
            return None
        name = re.sub(r"[^a-z0-9]+", "-", method.lower()).strip("-")
        return self.folder / f"{split}-{shuffle}" / f"{name}.json"
