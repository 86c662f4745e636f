"""What is installed: every plugin's records, and one line for each plugin left out."""

from intertwiner.registry.entries import KINDS, Entry, Failure, Plugin
from intertwiner.registry.lookup import Registry, load_registry

__all__ = ["KINDS", "Entry", "Failure", "Plugin", "Registry", "load_registry"]
