"""Lists of PDB codes that keep look-alikes of the test set out of training (PDBbind CleanSplit).

The file is the authors' JSON of codes, given by path: `train`, and for each core set all of its
complexes and those that are independent of the training list.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intertwiner.data.dataset import Split
from intertwiner.errors import DataError

__all__ = ["LeakLists", "clean_split", "read_leak_lists"]

VALIDATION = 10
"""Every tenth training complex validates."""


@dataclass(frozen=True, slots=True)
class LeakLists:
    """Codes in lower case. test: the whole core set; independent: what of it is free of leaks."""

    train: frozenset[str]
    test: frozenset[str]
    independent: frozenset[str]


def read_leak_lists(path: Path, core: str) -> LeakLists:
    """The lists of a core set, such as "casf2016".

    Raises `DataError` when it is not such a file, and for a code that is in training and in test.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON: {error}") from error
    names = ("train", core, f"{core}_indep")
    lists = [_codes(path, content, name) for name in names]
    shared = sorted(lists[0] & lists[1])
    if shared:
        raise DataError(f"{path}: {shared[0]} is in 'train' and in {core!r}: correct the file")
    return LeakLists(*lists)


def _codes(path: Path, content: object, name: str) -> frozenset[str]:
    known = sorted(content) if isinstance(content, dict) else []
    found = content.get(name) if isinstance(content, dict) else None
    if not isinstance(found, list) or not all(isinstance(code, str) for code in found):
        raise DataError(
            f"{path}: {name!r} must be a list of PDB codes; there are {', '.join(known) or 'none'}"
        )
    return frozenset(code.lower() for code in found)


def clean_split(codes: Sequence[str], lists: LeakLists) -> tuple[Split, Split]:
    """(with the whole core set as test part, with its independent complexes), training the same.

    Complexes in no list are in no part. Raises `DataError` when a part is empty.
    """
    rows = np.array([code.lower() for code in codes])
    training = _rows(rows, lists.train, "training")
    held = np.arange(len(training)) % VALIDATION == VALIDATION - 1
    parts = {"train": training[~held], "validation": training[held]}
    whole, free = (
        {**parts, "test": _rows(rows, chosen, name)}
        for chosen, name in ((lists.test, "test"), (lists.independent, "independent test"))
    )
    return whole, free


def _rows(codes: NDArray[np.str_], chosen: frozenset[str], name: str) -> NDArray[np.int64]:
    found = np.flatnonzero(np.isin(codes, sorted(chosen)))
    if not len(found):
        raise DataError(
            f"none of the {len(chosen)} complexes of the {name} list is among the {len(codes)} "
            "that were read"
        )
    return found.astype(np.int64)
