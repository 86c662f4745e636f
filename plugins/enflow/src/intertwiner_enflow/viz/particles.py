"""DW4: configurations true and generated, pair distances, energies."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.alignment import align
from intertwiner_enflow.evaluation.transport import pair_distances
from intertwiner_enflow.targets import DoubleWell
from intertwiner_enflow.targets.base import centred
from intertwiner_enflow.targets.quadrature import pair_distance_density
from intertwiner_enflow.viz._figure import BLUE, GREY, ORANGE, new_figure, save

__all__ = ["draw_double_well"]

_SHOWN: Final = 12
_REACH: Final = 5.5


def draw_double_well(
    truth: Float[Tensor, "true 4 2"],
    samples: Float[Tensor, "samples 4 2"],
    weights: Float[Tensor, " samples"],
    out: Path,
) -> Path:
    """Draws 12 true configurations and the generated ones most like them, the density of pair
    distances beside the exact one, and energies as they come and reweighted.

    weights: importance weights of `samples`, adding up to 1.
    """
    figure = new_figure(12.0, 5.6)
    rows = figure.subfigures(2, 1, height_ratios=(1.0, 1.5))
    _draw_pairs(rows[0], centred(truth), centred(samples))
    left, right = rows[1].subplots(1, 2)
    _draw_distances(left, samples, weights)
    _draw_energies(right, truth, samples, weights)
    return save(figure, out)


def _draw_pairs(figure: Any, truth: Tensor, samples: Tensor) -> None:
    axes = figure.subplots(1, _SHOWN)
    figure.suptitle("true configurations (blue), the generated ones nearest to them (orange)")
    for number, ax in enumerate(axes):
        true = truth[number]
        many = samples[:500]
        images = align(true.expand_as(many), many, exact=True)
        best = images[(images - true).square().sum(dim=(1, 2)).argmin()]
        ax.scatter(*true.T.numpy(), s=60, color=BLUE, zorder=2)
        ax.scatter(*best.T.numpy(), s=20, color=ORANGE, zorder=3)
        ax.set(xlim=(-_REACH, _REACH), ylim=(-_REACH, _REACH), xticks=[], yticks=[], aspect=1)


def _draw_distances(ax: Any, samples: Tensor, weights: Tensor) -> None:
    distances = pair_distances(samples).numpy()
    repeated = weights.repeat_interleave(len(distances) // len(samples)).numpy()
    shared: dict[str, Any] = {"bins": 90, "range": (0.5, 8.0), "density": True, "color": ORANGE}
    ax.hist(distances, **shared, alpha=0.45, label="samples")
    ax.hist(distances, **shared, weights=repeated, histtype="step", label="samples, reweighted")
    places = np.linspace(0.5, 7.6, 90)
    exact = pair_distance_density(places, spacing=0.16)
    ax.plot(places, exact, color=BLUE, label="exact (quadrature)")
    ax.set(xlabel="distance of a pair", ylabel="density")
    ax.legend(frameon=False, loc="upper center")


def _draw_energies(ax: Any, truth: Tensor, samples: Tensor, weights: Tensor) -> None:
    target = DoubleWell()
    true, found = (target.energy(x.double()).numpy() for x in (truth, samples))
    span = (float(true.min()) - 1.0, float(np.quantile(true, 0.999)) + 8.0)
    shared: dict[str, Any] = {"bins": 70, "range": span, "density": True}
    ax.hist(true, **shared, histtype="step", color=BLUE, label="true samples")
    ax.hist(found, **shared, color=ORANGE, alpha=0.45, label="samples")
    reweighted: dict[str, Any] = {**shared, "weights": weights.numpy(), "color": ORANGE}
    ax.hist(found, **reweighted, histtype="step", label="samples, reweighted")
    beyond = float((torch.from_numpy(found) > span[1]).double().mean())
    ax.set(xlabel=f"energy [kT] ({100 * beyond:.1f} % of samples lie beyond)", ylabel="density")
    ax.legend(frameon=False)
    ax.axvline(-22.5415, color=GREY, linewidth=0.8)
