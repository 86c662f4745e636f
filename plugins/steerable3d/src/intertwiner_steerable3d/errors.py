"""What this plugin warns of."""

from __future__ import annotations

__all__ = ["VoxelWarning"]


class VoxelWarning(UserWarning):
    """A grid that is coarser than it looks, or that misses its atoms."""
