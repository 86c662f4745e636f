"""How many knots a radial table needs: checked against the exact network while it learns.

A network that has learned sharp functions of the distance needs more knots. Every `check_every`
training steps its table is compared with it; the knots are doubled until the error is within
bounds, and where `MOST_KNOTS` do not suffice, the exact network serves from then on.
"""

from __future__ import annotations

import warnings
from typing import Final

import torch
from torch import Tensor, nn

from intertwiner_equivariant_conv.layers.radial import RadialBasis, RadialNetwork
from intertwiner_equivariant_conv.layers.radial_table import table_error

__all__ = [
    "DEGREE",
    "FIRST_KNOTS",
    "MOST_KNOTS",
    "SharpRadialNetwork",
    "TableGuard",
    "weights_mark",
]

DEGREE: Final = 5
FIRST_KNOTS: Final = 128
MOST_KNOTS: Final = 4096


class SharpRadialNetwork(UserWarning):
    """A radial network changes too fast with the distance for the largest table."""


class TableGuard(nn.Module):
    """The number of knots of one layer's table, or 0 where the exact network must serve.

    check_every: training steps (calls in training mode) between checks.
    tolerance: largest error of value and derivative, relative to their root mean square.

    `knots` and `steps` are buffers: a resumed run goes on as the one it resumes. In evaluation
    nothing of them changes; the weights are checked whenever they are others than before.
    """

    knots: Tensor
    steps: Tensor

    def __init__(
        self, check_every: int = 200, tolerance: tuple[float, float] = (1e-5, 1e-4)
    ) -> None:
        super().__init__()
        self.check_every = check_every
        self.tolerance = tolerance
        self.register_buffer("knots", torch.tensor(FIRST_KNOTS))
        self.register_buffer("steps", torch.tensor(0))
        self._checked: tuple[tuple[int, ...], int] | None = None

    @torch.no_grad()
    def forward(self, network: RadialNetwork, basis: RadialBasis) -> int:
        """Knots to use now."""
        if not self.training:
            return self._for_these_weights(network, basis)
        knots, steps = self.knots, self.steps
        before = int(steps.add_(1)) - 1
        if before % self.check_every == 0:
            knots.fill_(self.sufficient(network, basis))
        return int(knots)

    def sufficient(self, network: RadialNetwork, basis: RadialBasis) -> int:
        """The knots of now, or doubled until the error is within bounds; 0 where none suffice."""
        knots = int(self.knots)
        while 0 < knots <= MOST_KNOTS:
            errors = table_error(network, basis, knots, DEGREE)
            if all(error <= most for error, most in zip(errors, self.tolerance, strict=True)):
                return knots
            knots *= 2
        if knots:
            text = "relative error {:.1e} of a radial function, {:.1e} of its derivative, with "
            text += "{} knots: the exact network serves this layer, which is slower"
            text = text.format(*errors, MOST_KNOTS)
            warnings.warn(text, SharpRadialNetwork, stacklevel=2)
        return 0

    def _for_these_weights(self, network: RadialNetwork, basis: RadialBasis) -> int:
        mark = (int(self.knots), *weights_mark(network, basis))
        if self._checked is None or self._checked[0] != mark:
            self._checked = mark, self.sufficient(network, basis)
        return self._checked[1]


def weights_mark(network: RadialNetwork, basis: RadialBasis) -> tuple[int, ...]:
    """Differs when weights have changed. (Changes made in inference mode are not counted.)"""
    tensors = (*network.weights, basis.scale)
    versions = (-1 if tensor.is_inference() else tensor._version for tensor in tensors)
    return (*(tensor.data_ptr() for tensor in tensors), *versions)
