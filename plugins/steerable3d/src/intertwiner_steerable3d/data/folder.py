"""Proteins from a folder of structure files, and the file that says how they are split."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Final

import torch

from intertwiner_steerable3d.data.archive import ProteinSplit
from intertwiner_steerable3d.data.proteins import Proteins, join
from intertwiner_steerable3d.data.structure_file import SUFFIXES, read_structure, stem
from intertwiner_steerable3d.errors import InvalidInput, VoxelWarning

__all__ = ["read_folder", "read_split"]

_PARTS: Final = {"train": 0, "validation": 1, "test": 2}


def read_folder(folder: Path, split_file: str = "") -> tuple[Proteins, ProteinSplit]:
    """All structure files of the folder, in the order of their names.

    Files that cannot be read are left out and named in a warning. Raises `InvalidInput` when none
    can, when two have one name, and for a split file that does not fit.
    """
    paths = sorted(path for path in folder.iterdir() if _is_structure(path))
    names = [stem(path) for path in paths]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput(f"{folder}: more than one file is named {twice[0]}")
    proteins, failed = [], []
    for path in paths:
        try:
            proteins.append(read_structure(path))
        except InvalidInput as error:
            failed.append(str(error))
    if not proteins:
        reason = failed[0] if failed else f"it has no {', '.join(SUFFIXES)} file"
        raise InvalidInput(f"{folder}: no protein can be read: {reason}")
    if failed:
        text = f"{folder}: {len(failed)} of {len(paths)} files are left out: {failed[0]}"
        warnings.warn(text, VoxelWarning, stacklevel=2)
    joined = join(proteins)
    return joined, _split(joined.names, split_file)


def _is_structure(path: Path) -> bool:
    return path.is_file() and path.name.lower().removesuffix(".gz").endswith(SUFFIXES)


def _split(names: tuple[str, ...], split_file: str) -> ProteinSplit:
    if split_file:
        return read_split(Path(split_file), names)
    warnings.warn(
        "no data.split_file: files are dealt out by name, and similar proteins may be in training "
        "and test; give lines 'NAME train|validation|test CLUSTER'",
        VoxelWarning,
        stacklevel=4,
    )
    digests = [hashlib.sha256(name.encode()).digest()[0] for name in names]
    order = sorted(range(len(names)), key=lambda row: (digests[row], names[row]))
    part = torch.zeros(len(names), dtype=torch.int64)
    held = max(1, len(names) // 8) if len(names) >= 3 else 0
    part[order[:held]] = 1
    part[order[held : 2 * held]] = 2
    return ProteinSplit(part, torch.arange(len(names)))


def read_split(path: Path, names: tuple[str, ...]) -> ProteinSplit:
    """Lines "NAME train|validation|test [CLUSTER]"; every name must be there.

    Raises `InvalidInput` naming the line, a protein without one, or a cluster in two parts.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path}: cannot be read: {error}") from error
    found: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if len(words) not in (2, 3) or words[1] not in _PARTS:
            raise InvalidInput(f"{path}, line {number}: {line!r} is not 'NAME PART [CLUSTER]'")
        found[words[0]] = (_PARTS[words[1]], words[2] if len(words) == 3 else words[0])
    missing = [name for name in names if name not in found]
    if missing:
        raise InvalidInput(f"{path}: no line for {missing[0]} ({len(missing)} are missing)")
    parts: dict[str, int] = {}
    for name in names:
        part, cluster = found[name]
        if parts.setdefault(cluster, part) != part:
            raise InvalidInput(f"{path}: cluster {cluster} of {name} is in more than one part")
    clusters = sorted(parts)
    return ProteinSplit(
        torch.tensor([found[name][0] for name in names]),
        torch.tensor([clusters.index(found[name][1]) for name in names]),
    )
