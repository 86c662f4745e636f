"""Errors of this plugin: the core's, and Python's own kind, so that either can be caught."""

from __future__ import annotations

from intertwiner.errors import ConfigError, DataError

__all__ = ["InvalidInput", "InvalidMesh", "InvalidSetting", "MeshWarning", "WrongType"]


class InvalidMesh(DataError, ValueError):
    """A surface that has no faces, no normals, no orientation, or faces that point nowhere."""


class InvalidInput(DataError, ValueError):
    """A tensor that holds a value that cannot be, or does not belong to the mesh."""


class WrongType(DataError, TypeError):
    """A tensor of another dtype, device or feature type than it must have."""


class InvalidSetting(ConfigError, ValueError):
    """A setting that does not fit the others."""


class MeshWarning(UserWarning):
    """Something about a mesh was repaired or left out; the message counts what."""
