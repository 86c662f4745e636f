"""The file `bm5_unbound.npz`: unbound partners of Docking Benchmark 5, split by cluster."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from torch import Tensor

from intertwiner.atomic import digest
from intertwiner_steerable3d.data.npz import check_offsets, read_npz
from intertwiner_steerable3d.data.proteins import Proteins
from intertwiner_steerable3d.errors import InvalidInput, VoxelWarning

__all__ = ["DIGEST", "ProteinSplit", "read_archive"]

DIGEST: Final = "84a3e3fe0fe1f98f5f6ff44654dffbbc9854e3adf7b9265aa0d6e82af6357ee3"
KINDS: Final = {
    "ids": "U",
    "xyz": "i",
    "el": "u",
    "res": "u",
    "name": "u",
    "atom_names": "U",
    "aa": "u",
    "atom_off": "i",
    "res_off": "i",
    "cluster": "i",
    "split": "u",
}
"""Arrays of the file, and the kind of their numbers."""


@dataclass(frozen=True, slots=True)
class ProteinSplit:
    """part: 0, 1, 2 = train, validation, test; cluster: of similar sequences; both per protein."""

    part: Int[Tensor, " proteins"]
    cluster: Int[Tensor, " proteins"]


def read_archive(path: Path, *, strict: bool = False) -> tuple[Proteins, ProteinSplit]:
    """The proteins of the file and how they are split.

    Raises `InvalidInput` listing missing arrays, and for wrong kinds of numbers or offsets that do
    not rise. Another checksum than the published one is a warning, with `strict` an error.
    """
    arrays = read_npz(path, KINDS)
    found = digest(path)
    if found != DIGEST:
        text = f"{path}: SHA-256 {found}, the published file has {DIGEST}"
        if strict:
            raise InvalidInput(text)
        warnings.warn(text, VoxelWarning, stacklevel=2)
    _check(path, arrays)
    split = ProteinSplit(_long(arrays["split"]), _long(arrays["cluster"]))
    return _proteins(arrays), split


def _check(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    for name, kind in KINDS.items():
        if arrays[name].dtype.kind != kind:
            raise InvalidInput(f"{path}: {name} is {arrays[name].dtype}, must be of kind {kind!r}")
    for name, last in (("atom_off", len(arrays["xyz"])), ("res_off", len(arrays["aa"]))):
        check_offsets(path, name, arrays[name], last)


def _long(array: NDArray[Any]) -> Int[Tensor, " n"]:
    return torch.from_numpy(array.astype(np.int64))


def _proteins(arrays: Mapping[str, NDArray[Any]]) -> Proteins:
    atom_ptr, residue_ptr = _long(arrays["atom_off"]), _long(arrays["res_off"])
    pos = torch.from_numpy(arrays["xyz"].astype(np.float32)) / 100
    first = torch.repeat_interleave(residue_ptr[:-1], atom_ptr.diff())
    residue = first + _long(arrays["res"])
    names = [str(name) for name in arrays["atom_names"]]
    backbone = torch.full((int(residue_ptr[-1]), 3, 3), float("nan"))
    kind = _long(arrays["name"])
    for place, name in enumerate(("N", "CA", "C")):
        atoms = (kind == names.index(name)).nonzero()[:, 0]
        backbone[residue[atoms], place] = pos[atoms]
    return Proteins(
        names=tuple(str(name) for name in arrays["ids"]),
        pos=pos,
        element=_long(arrays["el"]),
        residue=residue,
        amino_acid=_long(arrays["aa"]),
        backbone=backbone,
        atom_ptr=atom_ptr,
        residue_ptr=residue_ptr,
    )
