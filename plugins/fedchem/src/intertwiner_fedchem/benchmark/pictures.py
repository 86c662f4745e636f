"""Scaffolds over clients as a map of heat, and what clients and server saw in every round."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intertwiner.errors import RunError
from intertwiner.view.curves import read_metrics
from intertwiner_fedchem.splits.heterogeneity import total_variation

__all__ = ["draw_client_curves", "draw_heat_map"]

MOST = 40
Indices = NDArray[np.int64]


def draw_heat_map(
    groups: Indices, divisions: Mapping[str, Sequence[Indices]], out: Path, *, title: str
) -> Path:
    """The number of molecules of the commonest groups at each client, a panel for each division.

    groups: of all training molecules. divisions: label -> record numbers of every client.
    Raises `RunError` without matplotlib.
    """
    figure_class = _matplotlib()
    kinds, counts = np.unique(groups, return_counts=True)
    commonest = kinds[np.argsort(-counts, kind="stable")[:MOST]]
    figure = figure_class(
        figsize=(1.5 + 0.17 * len(commonest), 1.0 + 1.5 * len(divisions)), layout="constrained"
    )
    for axes, (label, parts) in zip(
        figure.subplots(len(divisions), 1, squeeze=False, sharex=True)[:, 0],
        divisions.items(),
        strict=True,
    ):
        counted = (groups[part][:, None] == commonest for part in parts)
        table = np.stack([members.sum(0) for members in counted])
        shares = table / np.maximum(table.sum(0), 1)
        image = axes.imshow(shares, aspect="auto", vmin=0, vmax=1, cmap="viridis")
        axes.set_yticks(range(len(parts)), [f"client {n}: {len(p)}" for n, p in enumerate(parts)])
        apart = total_variation(groups, parts)
        axes.set_title(f"{title}, {label}; total variation {apart:.2f}", fontsize=9)
        figure.colorbar(image, ax=axes, label="share of the scaffold")
    axes.set_xlabel(f"the {len(commonest)} commonest scaffolds, by number of molecules")
    figure.savefig(out, dpi=120)
    return out


def draw_client_curves(runs: Mapping[str, Path], out: Path) -> Path:
    """The training loss of every client and the validation loss of the server, round by round.

    runs: label -> run folder. Raises `RunError` without matplotlib.
    """
    figure_class = _matplotlib()
    figure = figure_class(figsize=(1.0 + 3.2 * len(runs), 3.0), layout="constrained")
    panels = figure.subplots(1, len(runs), squeeze=False, sharey=True)[0]
    for axes, (label, folder) in zip(panels, runs.items(), strict=True):
        reports = json.loads((folder / "rounds.json").read_text(encoding="utf-8"))
        clients = sorted({name for report in reports for name in report["losses"]})
        for client in clients:
            values = [report["losses"].get(client, np.nan) for report in reports]
            axes.plot(range(1, len(reports) + 1), values, lw=1, label=client)
        rows = read_metrics(folder / "metrics.csv")
        axes.plot(rows["epoch"], rows["validation/loss"], "k--", label="validation")
        axes.set(title=label, xlabel="round")
    panels[0].set_ylabel("loss")
    panels[-1].legend(fontsize=7)
    figure.savefig(out, dpi=120)
    return out


def _matplotlib() -> type:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise RunError(
            "pictures need matplotlib: pip install 'intertwiner-fedchem[viz]'"
        ) from error
    return Figure
