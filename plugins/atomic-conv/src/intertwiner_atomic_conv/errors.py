"""Errors of this plugin: the core's, and Python's own kind, so that either can be caught."""

from __future__ import annotations

from intertwiner.errors import ConfigError, DataError

__all__ = ["InvalidInput", "InvalidSetting"]


class InvalidInput(DataError, ValueError):
    """A complex, file, row or tensor holds a value that cannot be."""


class InvalidSetting(ConfigError, ValueError):
    """A setting is out of range or does not fit the others."""
