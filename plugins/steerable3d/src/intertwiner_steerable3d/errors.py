"""Errors of this plugin: the core's, and Python's own kind, so that either can be caught."""

from __future__ import annotations

from intertwiner.errors import ConfigError, DataError

__all__ = ["BasisWarning", "InvalidInput", "InvalidSetting", "VoxelWarning", "WrongType"]


class InvalidInput(DataError, ValueError):
    """A volume, structure or tensor holds a value that cannot be."""


class WrongType(DataError, TypeError):
    """A tensor has a dtype that cannot be used."""


class InvalidSetting(ConfigError, ValueError):
    """A setting is out of range or does not fit the others."""


class VoxelWarning(UserWarning):
    """A grid that is coarser than it looks, or that misses its atoms."""


class BasisWarning(UserWarning):
    """A kernel basis that cannot reach what it is asked for."""
