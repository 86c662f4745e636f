"""A run folder: everything one training leaves behind.

config.yaml                  the settings, complete
versions.json                what it ran with
metrics.csv                  one row per epoch
model.safetensors, .json     the best model so far
training_state.safetensors   all that an exact continuation needs
curves.png, report.html      for the eye
"""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import yaml

from intertwiner.atomic import remove_orphans, write_atomically
from intertwiner.errors import RunError
from intertwiner.registry.discovery import discover
from intertwiner.training.settings import RunConfig
from intertwiner.training.task import config_to_plain

__all__ = ["RunFolder"]

CONFIG: Final = "config.yaml"
METRICS: Final = "metrics.csv"
STATE: Final = "training_state.safetensors"
VERSIONS: Final = "versions.json"
STANDS_ON: Final = ("torch", "torch-geometric", "lightning-fabric", "e3nn", "numpy")


class RunFolder:
    """Paths and small files of a run folder. `path` need not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def state(self) -> Path:
        return self.path / STATE

    @property
    def metrics(self) -> Path:
        return self.path / METRICS

    def begin(
        self, config: RunConfig, *, resume: bool, more: Mapping[str, Any] | None = None
    ) -> None:
        """Makes the folder and writes settings and versions; clears a killed run's leftovers.

        more: further sections of `config.yaml`.
        Raises `RunError` when the folder holds a run and `resume` is False, or cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"{self.path}: cannot be made: {error.strerror}; set --out to another folder"
            ) from error
        remove_orphans(self.path)
        if (self.path / CONFIG).exists():
            if not resume:
                raise RunError(
                    f"{self.path}: holds a run already; add --resume to continue it, or set --out"
                )
            return
        settings = {**config_to_plain(config), **(more or {})}
        self._write(CONFIG, yaml.safe_dump(settings, sort_keys=False))
        self._write(VERSIONS, json.dumps(versions(), indent=2) + "\n")

    def write_metrics(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Writes all rows; the first row's keys are the columns."""
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)
        self._write(METRICS, text.getvalue())

    def read_config(self) -> dict[str, Any]:
        """The content of `config.yaml`. Raises `RunError` when this is no run folder."""
        try:
            found = yaml.safe_load((self.path / CONFIG).read_text())
        except OSError as error:
            raise RunError(f"{self.path}: not a run folder: no {CONFIG} in it") from error
        except yaml.YAMLError as error:
            raise RunError(f"{self.path / CONFIG}: not YAML: {error}") from error
        if not isinstance(found, dict) or not {"model_id", "dataset_id"} <= set(found):
            raise RunError(f"{self.path / CONFIG}: not the settings of a run")
        return found

    def _write(self, name: str, text: str) -> None:
        write_atomically(self.path / name, [text.encode()])


def versions() -> dict[str, str]:
    """Versions of Python, of the installed plugins, and of what everything stands on."""
    plugins = {claim.distribution for claim in discover()}
    names = ["intertwiner", *sorted(plugins), *STANDS_ON]
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
