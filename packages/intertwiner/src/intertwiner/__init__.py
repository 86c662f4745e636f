"""intertwiner: one small core for learning on 3D data, and plugins that bring the methods.

Names are imported on first use, so that `import intertwiner` stays free of torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intertwiner.api import (
        create_model,
        federate,
        fit,
        list_datasets,
        list_models,
        load_dataset,
        load_run,
    )
    from intertwiner.errors import IntertwinerError
    from intertwiner.hookspecs import hookimpl

__version__ = "0.1.0"

_HOME = {
    "IntertwinerError": "intertwiner.errors",
    "create_model": "intertwiner.api",
    "federate": "intertwiner.api",
    "fit": "intertwiner.api",
    "hookimpl": "intertwiner.hookspecs",
    "list_datasets": "intertwiner.api",
    "list_models": "intertwiner.api",
    "load_dataset": "intertwiner.api",
    "load_run": "intertwiner.api",
}

__all__ = [
    "IntertwinerError",
    "__version__",
    "create_model",
    "federate",
    "fit",
    "hookimpl",
    "list_datasets",
    "list_models",
    "load_dataset",
    "load_run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'intertwiner' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
