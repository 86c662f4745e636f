"""One way to ask for matplotlib and to put a figure on disk; no display is needed."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from typing import Any, Final

from intertwiner.atomic import write_atomically
from intertwiner.errors import RunError

__all__ = ["BLUE", "GREY", "ORANGE", "new_figure", "save"]

BLUE: Final = "#0072b2"
ORANGE: Final = "#d55e00"
GREY: Final = "#808080"
_DOTS_PER_INCH: Final = 150


def new_figure(width: float, height: float) -> Any:
    """An empty matplotlib figure of so many inches.

    Raises `RunError` with the install line where matplotlib is missing.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise RunError("drawing needs matplotlib: pip install 'intertwiner-enflow[viz]'")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Any, out: Path) -> Path:
    """Writes the figure as PNG, whole or not at all."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH, facecolor="white")
    write_atomically(out, [buffer.getvalue()])
    return out
