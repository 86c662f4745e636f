"""A residue's surroundings with the predicted odds of every amino acid, and the confusions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner.errors import RunError
from intertwiner_steerable3d.data.environments import Environment
from intertwiner_steerable3d.data.proteins import AMINO_ACIDS, ELEMENTS

__all__ = ["confusion", "draw_confusion", "draw_environments", "draw_learning"]

COLOURS: Final = ("#555555", "#0072b2", "#d55e00", "#e69f00")
"""Of C, N, O, S."""

Item = tuple[str, Environment, Float[Tensor, " classes"], int]
"""Name, surroundings, probabilities, and the residue that was there."""


def draw_environments(items: Sequence[Item], out: Path) -> Path:
    """For every residue the atoms around it, and the predicted distribution below."""
    figure = _figure(3.4 * len(items), 6.0)
    for column, (name, around, odds, truth) in enumerate(items):
        axes = figure.add_subplot(2, len(items), column + 1, projection="3d")
        for number, element in enumerate(ELEMENTS):
            x, y, z = around.pos[around.element == number].T.tolist()
            axes.scatter(x, y, z, s=14, c=COLOURS[number], label=element, depthshade=True)
        axes.scatter([0], [0], [0], s=60, c="#009e73", marker="*")
        axes.set_title(f"{name}: {AMINO_ACIDS[truth]}", fontsize=9)
        axes.set_axis_off()
        bars = figure.add_subplot(2, len(items), len(items) + column + 1)
        colours = ["#009e73" if number == truth else "#999999" for number in range(len(odds))]
        bars.barh(range(len(odds)), odds.tolist(), color=colours)
        bars.set_yticks(range(len(odds)), AMINO_ACIDS, fontsize=6)
        bars.invert_yaxis()
        bars.set_xlabel("probability", fontsize=8)
    return _save(figure, out)


def draw_confusion(counts: Int[Tensor, "truth predicted"], out: Path) -> Path:
    """Share of the residues of each type (rows) that are taken for each type (columns)."""
    figure = _figure(6.4, 5.6)
    axes = figure.subplots()
    shares = counts.double() / counts.sum(1, keepdim=True).clamp(min=1)
    picture = axes.imshow(shares.tolist(), cmap="viridis", vmin=0)
    axes.set_xticks(range(len(counts)), AMINO_ACIDS, rotation=90, fontsize=7)
    axes.set_yticks(range(len(counts)), AMINO_ACIDS, fontsize=7)
    axes.set_xlabel("predicted")
    axes.set_ylabel("residue")
    figure.colorbar(picture, label="share of the row")
    return _save(figure, out)


def draw_learning(curves: dict[str, dict[int, float]], out: Path) -> Path:
    """Test accuracy against the number of training residues, a line for every model."""
    figure = _figure(5.0, 3.6)
    axes = figure.subplots()
    for name, points in curves.items():
        sizes = sorted(points)
        axes.plot(sizes, [100 * points[size] for size in sizes], marker="o", label=name)
    axes.set_xscale("log")
    axes.set_xlabel("training residues")
    axes.set_ylabel("test accuracy / %")
    axes.legend()
    return _save(figure, out)


def _figure(width: float, height: float) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RunError("drawing needs matplotlib; run: pip install 'intertwiner[viz]'") from error
    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Any, out: Path) -> Path:
    from intertwiner.view._figure import save

    return save(figure, out)


def confusion(
    predicted: Int[Tensor, " residues"], truth: Int[Tensor, " residues"]
) -> Int[Tensor, "truth predicted"]:
    """How many residues of each type are taken for each type."""
    classes = len(AMINO_ACIDS)
    return torch.bincount(truth * classes + predicted, minlength=classes**2).view(classes, classes)
