"""From the features of the last layer to a target: numbers, classes, vectors, symmetric tensors.

Scalars go through a small dense network. It gives the numbers of the target that the frames do
not change, and a weight for each field of order 1 and 2, of which the target's vectors and
tensors are combined.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner.fields import Field, Irreps, Label, Scalar
from intertwiner_gauge_mesh.errors import InvalidSetting
from intertwiner_gauge_mesh.layers.ambient import (
    tensors_from_frame,
    to_irreps,
    vectors_from_frame,
)
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["Readout", "dense", "target_counts"]


def dense(
    width: int, hidden: Sequence[int], out: int, dropout: float = 0.0, *, relu: bool = False
) -> nn.Sequential:
    """Linear layers with SiLU (or ReLU) and dropout between them."""
    layers: list[nn.Module] = []
    for wide in hidden:
        layers += [nn.Linear(width, wide), nn.ReLU() if relu else nn.SiLU()]
        layers += [nn.Dropout(dropout)] if dropout else []
        width = wide
    return nn.Sequential(*layers, nn.Linear(width, out))


def target_counts(field: Field) -> tuple[int, int, int]:
    """How many scalars, tangent vectors and fields of order 2 a target is made of.

    Raises `InvalidSetting` for a representation that cannot be read out.
    """
    if isinstance(field.rep, Scalar):
        return field.rep.width, 0, 0
    if isinstance(field.rep, Label):
        classes = field.rep.classes
        if not classes:
            raise InvalidSetting(f"target {field}: the number of classes must be known")
        return classes, 0, 0
    if isinstance(field.rep, Irreps):
        counts = [0, 0, 0]
        for channels, order, _ in field.rep.blocks:
            if order > 2:
                raise InvalidSetting(f"target {field}: orders up to 2 are read out")
            for lower in range(order + 1):
                counts[lower] += channels
        return counts[0], counts[1], counts[2]
    raise InvalidSetting(f"target {field}: numbers, classes, vectors and tensors are read out")


class Readout(nn.Module):
    """One target at every vertex, in its unit: `shift + scale * (what the features give)`.

    kind: the type of the features; it must have the orders the target needs.
    """

    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        field: Field,
        kind: FeatureType,
        hidden: Sequence[int],
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.field, self.kind = field, kind
        self.counts = target_counts(field)
        needed = [order for order in (1, 2) if self.counts[order]]
        if needed and kind.order < max(needed):
            raise InvalidSetting(
                f"target {field} needs features of order {max(needed)}, hidden has {kind}"
            )
        self.orders = needed
        gates = sum(kind.multiplicities[order] for order in needed)
        self.dense = dense(kind.scalars, hidden, self.counts[0] + gates, dropout)
        self.mixing = nn.ParameterList(self._mixing(order) for order in needed)
        self.register_buffer("scale", torch.tensor(1.0, dtype=torch.float64))
        self.register_buffer("shift", torch.tensor(0.0, dtype=torch.float64))

    def _mixing(self, order: int) -> nn.Parameter:
        fan_in = self.kind.multiplicities[order]
        return nn.Parameter(torch.randn(fan_in, self.counts[order]) / fan_in**0.5)

    def forward(
        self, x: Float[Tensor, "vertices width"], frame: Float[Tensor, "vertices 3 3"]
    ) -> Float[Tensor, "vertices ..."]:
        """Logits of a `Label`; else the target's shape, `[vertices]` for a single scalar."""
        values = self.dense(nn.functional.silu(x[:, : self.kind.scalars]))
        if isinstance(self.field.rep, Label):
            return values
        scale, shift = self.scale.to(x.dtype), self.shift.to(x.dtype)
        if isinstance(self.field.rep, Scalar):
            numbers = values[:, 0] if self.field.rep.channels == 1 else values
            return numbers * scale + shift
        return self._assemble(values, self._fields(x, values), frame) * scale

    def _fields(self, x: Tensor, values: Tensor) -> list[Tensor]:
        """For orders 1 and 2 the combined fields, `[vertices, 2, count]`."""
        found, start = [], self.counts[0]
        for order, matrix in zip(self.orders, self.mixing, strict=True):
            block = self.kind.blocks[order]
            gates = values[:, None, start : start + block.count]
            start += block.count
            fields = x[:, block.start : block.stop].reshape(len(x), 2, block.count)
            found.append((fields * gates) @ matrix)
        return found

    def _assemble(self, values: Tensor, fields: list[Tensor], frame: Tensor) -> Tensor:
        assert isinstance(self.field.rep, Irreps)
        used = [0, 0, 0]

        def take(order: int, channels: int) -> Tensor:
            start = used[order]
            used[order] += channels
            source = values if order == 0 else fields[order - 1]
            return source[..., start : start + channels]

        parts = []
        for channels, order, _ in self.field.rep.blocks:
            scalars = take(0, channels)
            if order == 0:
                parts.append(scalars)
            elif order == 1:
                parts.append(vectors_from_frame(scalars, take(1, channels), frame).flatten(1))
            else:
                # Without trace: the normal part is minus twice half the tangent trace.
                pair = torch.cat([scalars, -2 * scalars], 1)
                full = tensors_from_frame(pair, take(1, channels), take(2, channels), frame)
                parts.append(to_irreps(full)[..., 1:].flatten(1))
        return torch.cat(parts, 1)
