"""What this plugin brings: networks on volumes, their data, one operation. No torch here."""

from __future__ import annotations

PAPER = "arXiv:1807.02547"
PACKAGE = "intertwiner_steerable3d"
