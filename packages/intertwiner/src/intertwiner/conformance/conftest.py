"""Keeps the cases out of a pytest run that has no `--plugin` option."""

from __future__ import annotations

from pathlib import Path

import pytest

__all__ = ["pytest_ignore_collect"]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if config.pluginmanager.has_plugin("intertwiner.conformance.pytest_plugin"):
        return None
    return True if collection_path.name == "test_plugin.py" else None
