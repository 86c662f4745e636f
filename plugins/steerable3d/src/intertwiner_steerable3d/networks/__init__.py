"""Whole networks: the paper's with their exact layouts, ours, and the plain CNNs beside them."""

from __future__ import annotations

from intertwiner_steerable3d.networks.presets import PRESETS, build

__all__ = ["PRESETS", "build"]
