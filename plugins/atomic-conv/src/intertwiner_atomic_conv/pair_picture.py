"""Learned pair interactions drawn over the true ones."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intertwiner.atomic import write_atomically
from intertwiner.errors import RunError
from intertwiner_atomic_conv.affinity import KCAL_PER_PK
from intertwiner_atomic_conv.curves import PairValues
from intertwiner_atomic_conv.datasets.pair_energy import ELEMENTS, pair_energy

__all__ = ["draw_pairs"]

SYMBOLS = {6: "C", 7: "N", 8: "O", 16: "S"}
LONGEST, BIN = 8.0, 0.1
"""angstrom."""
TRUE, ISOLATED, CONTEXT = "#000000", "#0072b2", "#d55e00"
Curves = Mapping[tuple[int, int], NDArray[np.float64]]


def draw_pairs(curves: Curves, pairs: PairValues, out: Path) -> Path:
    """A panel for each pair of elements (kcal/mol over angstrom): the true curve, that of two
    atoms alone, the mean and spread of pairs in context, and below how often distances occur.

    Raises `RunError` when matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RunError("drawing needs matplotlib; run: pip install 'intertwiner[viz]'") from error
    kinds = [(a, b) for n, a in enumerate(ELEMENTS) for b in ELEMENTS[n:]]
    figure = Figure(figsize=(15, 6), layout="constrained")
    for axes, kind in zip(figure.subplots(2, 5).flat, kinds, strict=True):
        _panel(axes, kind, curves, pairs)
    figure.axes[0].legend(fontsize=8, frameon=False)
    figure.supxlabel("distance [angstrom]")
    figure.supylabel("energy [kcal/mol]")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, facecolor="white")
    write_atomically(out, [buffer.getvalue()])
    return out


def _panel(axes: Any, kind: tuple[int, int], curves: Curves, pairs: PairValues) -> None:
    a, b = kind
    values = 0.5 * (curves[a, b] + curves[b, a])
    grid = np.linspace(2.4, LONGEST, len(values), endpoint=False)
    places = (np.full(len(grid), ELEMENTS.index(z)) for z in kind)
    true = np.where(grid < 7.0, pair_energy(grid, *places), 0.0)
    axes.plot(grid, true, color=TRUE, label="true")
    axes.plot(grid, values, color=ISOLATED, label="two atoms alone")
    ligand, protein = pairs.ligand.numpy(), pairs.protein.numpy()
    chosen = ((ligand == a) & (protein == b)) | ((ligand == b) & (protein == a))
    r = pairs.distance.numpy()[chosen]
    energy = -KCAL_PER_PK * pairs.value.double().numpy()[chosen]
    _context(axes, r, energy)
    axes.set_title(f"{SYMBOLS[a]}-{SYMBOLS[b]}, {len(r)} pairs", fontsize=10)
    axes.axhline(0.0, color="#cccccc", linewidth=0.5, zorder=0)
    deepest = min(true.min(), values.min(), -0.02)
    axes.set_ylim(1.6 * deepest, -1.2 * deepest)
    below = axes.twinx()
    below.hist(r, bins=np.arange(2.4, LONGEST, BIN), color="#bbbbbb", alpha=0.5)
    below.set_ylim(0, 5 * max(1.0, below.get_ylim()[1]))
    below.set_yticks([])


def _context(axes: Any, r: NDArray[np.float64], energy: NDArray[np.float64]) -> None:
    """Mean and standard deviation of pairs in context, in bins with at least five."""
    bins = np.floor(r / BIN).astype(int)
    rows = [
        ((number + 0.5) * BIN, energy[bins == number].mean(), energy[bins == number].std())
        for number in np.unique(bins)
        if (bins == number).sum() >= 5
    ]
    if rows:
        place, mean, spread = np.array(rows).T
        axes.plot(place, mean, color=CONTEXT, label="in context")
        axes.fill_between(place, mean - spread, mean + spread, color=CONTEXT, alpha=0.2)
