"""Trained models on disk: `model.safetensors`, and beside it `model.json` for people and programs.

The weights carry the whole record themselves, so that a process killed between the two writes
leaves nothing that cannot be loaded; `model.json` repeats the record with the file's SHA-256.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from torch import Tensor, nn

from intertwiner.atomic import digest, write_atomically
from intertwiner.config import build, to_plain
from intertwiner.errors import RunError
from intertwiner.registry import Entry, Registry
from intertwiner.schema import Schema
from intertwiner.specs import ModelSpec, load_target
from intertwiner.training.task import build_model
from intertwiner.training.tensors import load_tensors, save_tensors

__all__ = ["FORMAT", "LoadedModel", "differences", "load_model", "save_model"]

FORMAT: Final = 1
WEIGHTS: Final = "model.safetensors"
RECORD: Final = "model.json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in evaluation mode with the entry, settings and schema it was built from."""

    model: nn.Module
    entry: Entry[ModelSpec]
    settings: Any
    schema: Schema


def save_model(
    folder: Path, model: nn.Module, entry: Entry[ModelSpec], settings: Any, schema: Schema
) -> str:
    """Writes a model's weights and record into `folder`; returns the SHA-256 of the weights."""
    record = {
        "format": FORMAT,
        "kind": "model",
        "item": entry.id,
        "distribution": entry.distribution,
        "plugin_version": entry.version,
        "checkpoint_version": entry.spec.checkpoint_version,
        "settings": to_plain(settings),
        "schema": schema.to_json(),
    }
    sha256 = save_tensors(folder / WEIGHTS, model.state_dict(), record)
    text = json.dumps({**record, "sha256": sha256}, indent=2, sort_keys=True) + "\n"
    write_atomically(folder / RECORD, [text.encode()])
    return sha256


def load_model(registry: Registry, folder: Path) -> LoadedModel:
    """The model in `folder`, checked bit by bit and lifted to the installed version.

    Raises `RunError` for damaged files, a newer format, another plugin's model, and weights that
    do not fit, with every difference listed.
    """
    path = folder / WEIGHTS
    tensors, record = load_tensors(path)
    check_format(path, record, "model")
    _compare_record(folder, record)
    entry = registry.model(record["item"])
    settings_plain, tensors = _migrate(path, entry, record, tensors)
    settings = build(load_target(entry.spec.config), settings_plain, "model")
    schema = Schema.from_json(record["schema"])
    model = build_model(entry, settings, schema)
    load_weights(path, model, tensors)
    return LoadedModel(model.eval(), entry, settings, schema)


def check_format(path: Path, record: Mapping[str, Any], kind: str) -> None:
    """Raises `RunError` unless the file is of this kind and of a format known here."""
    if record.get("kind") != kind:
        raise RunError(f"{path}: holds a {record.get('kind')!r}, must hold a {kind!r}")
    if record["format"] > FORMAT:
        raise RunError(
            f"{path}: format {record['format']}, this intertwiner reads up to {FORMAT}; "
            "run: pip install --upgrade intertwiner"
        )


def _compare_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Says so when `model.json` was not written together with the weights."""
    path = folder / RECORD
    try:
        beside = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        _log.warning("%s: cannot be read (%s); the record in %s serves", path, error, WEIGHTS)
        return
    sha256 = digest(folder / WEIGHTS)
    if beside.get("sha256") != sha256:
        _log.warning(
            "%s: names SHA-256 %s, %s has %s and is sound: a write was interrupted between the "
            "two; the record in %s serves",
            path, beside.get("sha256"), WEIGHTS, sha256, WEIGHTS,
        )  # fmt: skip
    changed = differences({key: beside.get(key) for key in record}, record)
    if beside.get("sha256") == sha256 and changed:
        raise RunError(f"{path}: edited by hand? It differs from {WEIGHTS}: {'; '.join(changed)}")


def _migrate(
    path: Path, entry: Entry[ModelSpec], record: Mapping[str, Any], tensors: dict[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    settings, version = dict(record["settings"]), record["checkpoint_version"]
    newest = entry.spec.checkpoint_version
    if version > newest:
        raise RunError(
            f"{path}: {entry.id} checkpoint version {version}, written by {entry.distribution} "
            f"{record['plugin_version']}; {entry.version} is installed and reads up to {newest}; "
            f"run: pip install --upgrade {entry.distribution}"
        )
    while version < newest:
        if version not in entry.spec.migrations:
            raise RunError(f"{path}: {entry.id} cannot lift checkpoint version {version}")
        tensors, settings = load_target(entry.spec.migrations[version])(tensors, settings)
        version += 1
    return settings, tensors


def load_weights(path: Path, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Puts the tensors into the model. Raises `RunError` listing all that do not fit."""
    own = model.state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in own.items()}
    stored = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    changed = differences(stored, shapes)
    if changed:
        raise RunError(f"{path}: the weights are of another model: {'; '.join(changed)}")
    model.load_state_dict(dict(tensors))


def differences(stored: Any, expected: Any, path: str = "") -> list[str]:
    """One line per value that differs between two nested mappings, with its dotted path."""
    if not (isinstance(stored, Mapping) and isinstance(expected, Mapping)):
        return [] if stored == expected else [f"{path}: {stored!r} stored, {expected!r} here"]
    lines = []
    for key in [*stored, *(key for key in expected if key not in stored)]:
        dotted = f"{path}.{key}" if path else str(key)
        if key not in stored:
            lines.append(f"{dotted}: not stored")
        elif key not in expected:
            lines.append(f"{dotted}: stored, unknown here")
        else:
            lines += differences(stored[key], expected[key], dotted)
    return lines
