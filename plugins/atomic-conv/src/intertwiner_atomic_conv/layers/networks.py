"""One multilayer perceptron for every bucket of central atoms, with stacked weights.

For bucket a: N_a(x) = W3 relu(W2 relu(W1 relu(W0 x + b0) + b1) + b2) + b3, dropout after each relu
(arXiv:1703.10603, atomic networks). The last bias cancels in every energy difference: it is kept,
so that checkpoints are those of the paper's network, and not trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intertwiner_atomic_conv.errors import InvalidSetting
from intertwiner_atomic_conv.kernels import Slice, grouped_layer, grouped_linear

__all__ = ["AtomicNetworks", "Masks"]

Masks = Literal["tied", "independent"]
OUTPUT_DEVIATION = 0.01


class AtomicNetworks(nn.Module):
    """`groups` perceptrons inputs -> *hidden -> outputs; rows come sorted by group.

    dropout: rate after each hidden layer; `generator` is where its masks are drawn from (None:
    torch's own). skip: a linear term beside the perceptron. Weights are drawn from a normal
    distribution cut at two deviations of 1 / sqrt(layer's width), 0.01 for the output.
    """

    def __init__(
        self,
        groups: int,
        inputs: int,
        hidden: Sequence[int],
        outputs: int = 1,
        *,
        dropout: Sequence[float] = (),
        skip: bool = False,
        masks: Masks = "tied",
    ) -> None:
        super().__init__()
        rates = tuple(dropout) or (0.0,) * len(hidden)
        if len(rates) != len(hidden):
            raise InvalidSetting(f"dropout: {len(rates)} rates for {len(hidden)} hidden layers")
        self.dropout, self.outputs, self.masks = rates, outputs, masks
        self.generator: torch.Generator | None = None
        widths = (inputs, *hidden, outputs)
        deviations = [width**-0.5 for width in hidden] + [OUTPUT_DEVIATION]
        shapes = zip(widths, widths[1:], deviations, strict=False)
        self.weights = nn.ParameterList(_drawn(groups, *shape) for shape in shapes)
        self.biases = nn.ParameterList(
            nn.Parameter(torch.zeros(groups, width)) for width in widths[1:]
        )
        self.biases[-1].requires_grad_(requires_grad=False)
        self.skip = _drawn(groups, inputs, outputs, OUTPUT_DEVIATION) if skip else None

    def first(self) -> Float[Tensor, "groups inputs width"]:
        """The matrix that all inputs meet: of the first layer and, behind it, of the skip."""
        weight: Tensor = self.weights[0]
        return weight if self.skip is None else torch.cat([weight, self.skip], 2)

    def rest(
        self, x: Float[Tensor, "copies*rows width"], slices: Sequence[Slice], copies: int = 1
    ) -> Float[Tensor, "copies*rows outputs"]:
        """Energies from inputs times `first()`, for `copies` sets of rows with equal slices.

        Copies share one dropout mask where `masks` is "tied".
        """
        rows = len(x) // copies
        slices = [
            (group, first + copy * rows, stop + copy * rows)
            for copy in range(copies)
            for group, first, stop in slices
        ]
        x, linear = (x, None) if self.skip is None else x.split_with_sizes(_widths(x, self), 1)
        for layer, rate in enumerate(self.dropout):
            last = self.biases[-1] if layer + 1 == len(self.dropout) else None
            kept, factor = self._kept(x, rate, copies)
            after = self.weights[layer + 1]
            x = grouped_layer(x, self.biases[layer], after, slices, kept, factor, last)
        if not self.dropout:
            x = x + self.biases[0].index_select(0, _groups(slices, x))
        return x if linear is None else x + linear

    def forward(
        self, x: Float[Tensor, "rows inputs"], slices: Sequence[Slice]
    ) -> Float[Tensor, "rows outputs"]:
        """Energies of features whose rows are sorted by group."""
        return self.rest(grouped_linear(x, self.first(), slices), slices)

    def _kept(self, x: Tensor, rate: float, copies: int) -> tuple[Tensor | None, float]:
        """What dropout leaves [period, width], and the factor of what is left."""
        if not self.training or rate == 0.0:
            return None, 1.0
        rows = len(x) // (copies if self.masks == "tied" else 1)
        shape = rows, x.shape[1]
        drawn = torch.rand(shape, generator=self.generator, dtype=x.dtype, device=x.device)
        return drawn >= rate, 1.0 / (1.0 - rate)


def _drawn(groups: int, inputs: int, outputs: int, deviation: float) -> nn.Parameter:
    weight = torch.empty(groups, inputs, outputs)
    bounds = -2 * deviation, 2 * deviation
    return nn.Parameter(nn.init.trunc_normal_(weight, 0.0, deviation, *bounds))


def _widths(x: Tensor, networks: AtomicNetworks) -> list[int]:
    return [x.shape[1] - networks.outputs, networks.outputs]


def _groups(slices: Sequence[Slice], x: Tensor) -> Int[Tensor, " rows"]:
    """The group of every row."""
    table = torch.tensor(slices, dtype=torch.long, device=x.device).view(-1, 3)
    return torch.repeat_interleave(table[:, 0], table[:, 2] - table[:, 1], output_size=len(x))
