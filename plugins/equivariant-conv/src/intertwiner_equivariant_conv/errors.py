"""Errors of this plugin: the core's, and Python's own kind, so that either can be caught."""

from __future__ import annotations

from intertwiner.errors import ConfigError, DataError

__all__ = ["InvalidInput", "InvalidSetting", "WrongType"]


class InvalidInput(DataError, ValueError):
    """A molecule, graph or tensor holds a value that cannot be."""


class WrongType(DataError, TypeError):
    """A tensor has another dtype than it must have."""


class InvalidSetting(ConfigError, ValueError):
    """A setting does not fit the others or the targets."""
