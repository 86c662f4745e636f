"""Residual blocks, as published and with their activation in place."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_steerable3d.layers.block import BlockSettings, GatedBlock
from intertwiner_steerable3d.layers.field_type import FieldType, check_type, count_gates
from intertwiner_steerable3d.layers.gate import Gate

__all__ = ["GatedActivation", "ResidualBlock"]


class GatedActivation(nn.Module):
    """Gates computed by a convolution from the fields that they gate, and biases of scalars."""

    def __init__(
        self,
        fields: FieldType,
        size: int,
        *,
        settings: BlockSettings,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.fields = check_type(fields)
        gates = count_gates(self.fields)
        self.bias = nn.Parameter(torch.zeros(self.fields[0])) if self.fields[0] else None
        self.gates = (
            settings.convolution(self.fields, (gates,), size, bias=True, generator=generator)
            if gates
            else None
        )
        self.gate = Gate(self.fields)

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch c x y z"]:
        """The fields, activated."""
        opening = [] if self.gates is None else [self.gates(x)]
        if self.bias is not None:
            rest = x.shape[1] - len(self.bias)
            x = x + nn.functional.pad(self.bias, (0, rest))[:, None, None, None]
        activated: Tensor = self.gate(torch.cat([x, *opening], 1))
        return activated


class ResidualBlock(nn.Module):
    """A chain of gated blocks, the last without activation, plus a shortcut.

    outputs: the type after every block of the chain. The shortcut is the identity where type and
    grid stay the same, else a linear block with a kernel of the same size. Strides are means over
    3^3 voxels (zeros beyond the border count), after the first block and after the shortcut.
    paper_exact: nothing follows the sum, as in the published networks, whose activation is there
    and does nothing. Without it a `GatedActivation` follows.
    """

    def __init__(
        self,
        fields_in: FieldType,
        outputs: Sequence[FieldType],
        size: int,
        *,
        stride: int = 1,
        paper_exact: bool = False,
        settings: BlockSettings | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        settings = settings or BlockSettings()
        types = [check_type(fields) for fields in (fields_in, *outputs)]
        chain: list[nn.Module] = []
        for number, (source, target) in enumerate(itertools.pairwise(types)):
            activated = number < len(outputs) - 1
            chain.append(
                GatedBlock(
                    source,
                    target,
                    size,
                    activated=activated,
                    settings=settings,
                    generator=generator,
                )
            )
            if number == 0 and stride > 1:
                chain.append(_pool(stride))
        self.chain = nn.Sequential(*chain)
        self.shortcut: nn.Module = nn.Identity()
        if types[0] != types[-1] or stride > 1:
            linear = GatedBlock(
                types[0], types[-1], size, activated=False, settings=settings, generator=generator
            )
            self.shortcut = nn.Sequential(linear, _pool(stride)) if stride > 1 else linear
        self.activation: nn.Module = (
            nn.Identity()
            if paper_exact
            else GatedActivation(types[-1], size, settings=settings, generator=generator)
        )

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch d x2 y2 z2"]:
        """The sum of chain and shortcut."""
        activated: Tensor = self.activation(self.chain(x) + self.shortcut(x))
        return activated


def _pool(stride: int) -> nn.AvgPool3d:
    return nn.AvgPool3d(3, stride, 1)
