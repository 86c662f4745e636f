"""Datasets, their splits, batches, the cache, and downloads that can be trusted.

Names are imported on first use, so that the cache can be asked about without torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intertwiner.data.batches import Batches
    from intertwiner.data.dataset import Dataset, Subset

_HOME = {
    "Batches": "intertwiner.data.batches",
    "Dataset": "intertwiner.data.dataset",
    "Subset": "intertwiner.data.dataset",
}

__all__ = ["Batches", "Dataset", "Subset"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'intertwiner.data' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
