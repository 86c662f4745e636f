"""What all pictures share: colours, and one way to put a figure on disk."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from intertwiner.atomic import write_atomically

__all__ = ["COLOURS", "DOTS_PER_INCH", "LEGEND_SIZE", "save"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's colours, which stay apart for colour-blind eyes."""

DOTS_PER_INCH = 150
LEGEND_SIZE = 9


def save(figure: Any, out: Path) -> Path:
    """Writes a matplotlib figure as PNG to `out`, whole or not at all."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, facecolor="white")
    write_atomically(out, [buffer.getvalue()])
    return out
