"""The geometric median: the point whose distances to all clients add up to the least."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner.federated import Aggregated, RoundContext, Update
from intertwiner.federated.updates import Arrays, State
from intertwiner_fedchem.aggregators.config import GeometricMedianConfig
from intertwiner_fedchem.aggregators.mean import mean_metrics

__all__ = ["GeometricMedian", "weiszfeld"]


class GeometricMedian:
    """argmin_theta sum_k p_k |theta - theta_k|, over all arrays as one vector.

    Half of the weight must lie far off before the result follows it (Pillutla et al. 2019,
    arXiv:1912.13445).
    """

    def __init__(self, config: GeometricMedianConfig) -> None:
        self.config = config

    def init(self, arrays: Arrays) -> State:
        return {}

    def aggregate(
        self, updates: Sequence[Update], arrays: Arrays, state: State, context: RoundContext
    ) -> Aggregated:
        ordered = sorted(updates, key=lambda update: update.client)
        points = torch.stack([flat(update.arrays) for update in ordered])
        weights = torch.tensor([float(update.num_examples) for update in ordered]).double()
        median = weiszfeld(points, weights, self.config.iterations, self.config.tolerance)
        return Aggregated(unflat(median, arrays), state, mean_metrics(ordered))


def weiszfeld(
    points: Float[Tensor, "clients numbers"],
    weights: Float[Tensor, " clients"],
    iterations: int,
    tolerance: float,
) -> Float[Tensor, " numbers"]:
    """Weiszfeld's iteration from the median of each number: weights are divided by the distances,
    none of which counts as less than 1e-6 of their median.

    It ends when the point moves less than `tolerance` of the median distance.
    """
    ordered = points.sort(0).values
    centre = (ordered[(len(points) - 1) // 2] + ordered[len(points) // 2]) / 2
    for _ in range(iterations):
        distances = (points - centre).norm(dim=1)
        middle = float(distances.median()) or 1.0
        shares = weights / distances.clamp(min=1e-6 * middle)
        moved = shares @ points / shares.sum()
        change, centre = float((moved - centre).norm()), moved
        if change <= tolerance * middle:
            break
    return centre


def flat(arrays: Arrays) -> Float[Tensor, " numbers"]:
    """All arrays in one vector of double precision, by name."""
    return torch.cat([arrays[name].double().flatten() for name in sorted(arrays)])


def unflat(vector: Float[Tensor, " numbers"], like: Arrays) -> dict[str, Tensor]:
    """The vector of `flat` taken apart into the shapes and dtypes of `like`."""
    names = sorted(like)
    pieces = vector.split([like[name].numel() for name in names])
    return {
        name: piece.reshape(like[name].shape).to(like[name].dtype)
        for name, piece in zip(names, pieces, strict=True)
    }
