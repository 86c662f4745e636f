"""What the extra `viz` brings, asked for only when something is drawn."""

from __future__ import annotations

import importlib.util

from intertwiner.errors import RunError

__all__ = ["require"]


def require(*modules: str) -> None:
    """Raises `RunError` with the install line when one of `modules` is not installed."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise RunError(
            f"drawing needs {' and '.join(missing)}, not installed; run: "
            "pip install 'intertwiner[viz]'"
        )
