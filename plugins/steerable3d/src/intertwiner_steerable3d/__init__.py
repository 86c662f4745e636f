"""Steerable convolutions on volumes, as plain `torch.nn.Module`s.

Names are imported on first use, so that `import intertwiner_steerable3d` stays free of torch.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PACKAGE = "intertwiner_steerable3d"
_HOME: dict[str, str] = {}

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{_PACKAGE}.{_HOME[name]}"), name)
