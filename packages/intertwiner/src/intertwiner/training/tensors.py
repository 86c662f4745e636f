"""Named tensors in one file that says when a single bit of it has changed.

The file is safetensors; its metadata hold a JSON record and a SHA-256 over the record and every
tensor's name, type, shape and bytes. Nothing in it is ever executed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from intertwiner.atomic import write_atomically
from intertwiner.errors import RunError

__all__ = ["load_tensors", "save_tensors"]

_SEAL: Final = "intertwiner"
_PICKLE_STARTS: Final = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def save_tensors(path: Path, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> str:
    """Writes tensors and a JSON record to `path`, atomically; returns the file's SHA-256.

    Raises `RunError` when the folder cannot be written or the disk is full.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(record, sort_keys=True)
    sealed = json.dumps({"record": text, "sha256": content_digest(plain, text)})
    # One entry alone: safetensors writes several in any order, and equal runs differ in bytes.
    return write_atomically(path, [safetensors.torch.save(plain, metadata={_SEAL: sealed})])


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors (on the CPU) and record of a file written by `save_tensors`.

    Raises `RunError` when the path is no file, is empty or truncated, is a pickle, or when the
    content does not have the digest it was written with (both digests are named).
    """
    _check_readable(path)
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            # Copied, because what safetensors gives is mapped from a file that may be replaced.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise RunError(f"{path}: {_what_is_wrong(path)}: {error}") from error
    text, expected = _unsealed(path, metadata.get(_SEAL))
    found = content_digest(tensors, text)
    if found != expected:
        raise RunError(
            f"{path}: damaged: its content has SHA-256 {found}, it was written with {expected}; "
            "restore it from a copy or train again"
        )
    return tensors, json.loads(text)


def _unsealed(path: Path, sealed: str | None) -> tuple[str, str]:
    """The record as text, and the digest it was written with."""
    try:
        seal = json.loads(sealed or "{}")
        return str(seal["record"]), str(seal["sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{path}: damaged, or not written by intertwiner: it carries no record with a digest"
        ) from error


def _check_readable(path: Path) -> None:
    if path.is_dir():
        raise RunError(f"{path}: a folder, must be a file of weights")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    if not size:
        raise RunError(f"{path}: empty")


def _what_is_wrong(path: Path) -> str:
    """Why a file is not safetensors. (A good file may start like a pickle, so this comes last.)"""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_PICKLE_STARTS):
        return "a pickle, which can run any code when loaded; refused, nothing was executed"
    return "damaged or truncated, cannot be read"


def content_digest(tensors: Mapping[str, Tensor], text: str) -> str:
    """SHA-256 of a JSON text and of names, types, shapes and bytes of contiguous CPU tensors."""
    sha256 = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        sha256.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        if tensor.numel():
            sha256.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return sha256.hexdigest()
