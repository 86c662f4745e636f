"""The conformance kit: what every plugin must pass, derived from what it declares.

`intertwiner check PLUGIN` and `pytest -p intertwiner.conformance.pytest_plugin --pyargs
intertwiner.conformance --plugin PLUGIN` run the same cases. No test code of the plugin is needed:
the declarations say how every tensor transforms. Parameters are moved off their initial values,
outputs must answer to inputs, and each check must also reject a broken twin of the model.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intertwiner.conformance.runner import CheckResult, run

__all__ = ["CheckResult", "run"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'intertwiner.conformance' has no attribute {name!r}")
    return getattr(importlib.import_module("intertwiner.conformance.runner"), name)
