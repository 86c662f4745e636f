"""Errors a user can act on: one line that says where, what was seen, and what to do."""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "DataError",
    "DeclarationError",
    "IntertwinerError",
    "KernelFallback",
    "LookupFailed",
    "RunError",
]


class IntertwinerError(Exception):
    """Base of every error this library raises on purpose. `exit_code` is the command line's."""

    exit_code = 1


class DeclarationError(IntertwinerError):
    """A plugin's record says something that cannot be."""


class LookupFailed(IntertwinerError):
    """No item, or more than one, answers to a name."""

    exit_code = 2


class ConfigError(IntertwinerError):
    """A setting is unknown, of the wrong type, or out of range."""

    exit_code = 2


class DataError(IntertwinerError):
    """A file, record, row or atom is not what it must be."""


class RunError(IntertwinerError):
    """A run folder or checkpoint cannot be written, read or continued."""


class KernelFallback(UserWarning):
    """A faster kernel exists and cannot be used here; the message says what is missing."""
