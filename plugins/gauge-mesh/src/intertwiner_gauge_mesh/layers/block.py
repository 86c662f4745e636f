"""Residual blocks of convolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_gauge_mesh.layers.convolution import GaugeConv
from intertwiner_gauge_mesh.layers.linear import GaugeLinear
from intertwiner_gauge_mesh.layers.norm import GaugeRMSNorm
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.types import FeatureType, TypeLike

__all__ = ["MakeNonlinearity", "ResidualBlock", "SimpleBlock"]

MakeNonlinearity = Callable[[FeatureType], nn.Module]


class ResidualBlock(nn.Module):
    """Two convolutions: y = f(conv(f(conv(x))) + residual); the block of the authors' networks.

    middle: type between the two. last: without the final f.
    tied: one residual matrix for all orders where all have as many channels, as in the authors'
    code (its bias is on scalars only here: on other orders it would depend on the frame).
    """

    def __init__(
        self,
        type_in: TypeLike,
        type_out: TypeLike,
        nonlinearity: MakeNonlinearity,
        *,
        middle: TypeLike | None = None,
        last: bool = False,
        tied: bool = True,
        normalize: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__()
        self.type_in, self.type_out = FeatureType.parse(type_in), FeatureType.parse(type_out)
        between = self._middle() if middle is None else FeatureType.parse(middle)
        self.conv1 = GaugeConv(self.type_in, between, **settings)
        self.conv2 = GaugeConv(between, self.type_out, **settings)
        self.norm1 = GaugeRMSNorm(between) if normalize else None
        self.norm2 = GaugeRMSNorm(self.type_out) if normalize and not last else None
        self.nonlinearity1 = nonlinearity(between)
        self.nonlinearity2 = nn.Identity() if last else nonlinearity(self.type_out)
        self.residual = _Residual(self.type_in, self.type_out, tied=tied)

    def _middle(self) -> FeatureType:
        """As many channels as come out, up to the higher of both orders."""
        order = max(self.type_in.order, self.type_out.order)
        return FeatureType.uniform(max(self.type_out.multiplicities), order)

    def forward(
        self, x: Float[Tensor, "vertices width_in"], plan: MeshPlan
    ) -> Float[Tensor, "vertices width_out"]:
        """Equivariant as far as the nonlinearity is."""
        y = self.conv1(x, plan)
        y = self.nonlinearity1(y if self.norm1 is None else self.norm1(y, plan))
        y = self.conv2(y, plan) + self.residual(x)
        result: Tensor = self.nonlinearity2(y if self.norm2 is None else self.norm2(y, plan))
        return result


class _Residual(nn.Module):
    """x on the orders that both types have, its channels mixed where their numbers differ."""

    def __init__(self, type_in: FeatureType, type_out: FeatureType, *, tied: bool) -> None:
        super().__init__()
        shared = min(type_in.order, type_out.order)
        same = type_in.multiplicities[: shared + 1] == type_out.multiplicities[: shared + 1]
        uniform = all(
            len(set(kind.multiplicities[: shared + 1])) == 1 for kind in (type_in, type_out)
        )
        self.linear = None if same else GaugeLinear(type_in, type_out, tied=tied and uniform)
        self.kept = sum(block.stop - block.start for block in type_in.blocks[: shared + 1])
        self.width = type_out.width

    def forward(self, x: Float[Tensor, "vertices width_in"]) -> Float[Tensor, "vertices width_out"]:
        if self.linear is not None:
            result: Tensor = self.linear(x)
            return result
        return nn.functional.pad(x[:, : self.kept], (0, self.width - self.kept))


class SimpleBlock(nn.Module):
    """One convolution: y = x + f(conv(x)), or f(conv(x) + linear(x)) where the type changes."""

    def __init__(
        self,
        type_in: TypeLike,
        type_out: TypeLike,
        nonlinearity: MakeNonlinearity,
        *,
        normalize: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__()
        self.type_in, self.type_out = FeatureType.parse(type_in), FeatureType.parse(type_out)
        self.conv = GaugeConv(self.type_in, self.type_out, **settings)
        self.norm = GaugeRMSNorm(self.type_out) if normalize else None
        self.nonlinearity = nonlinearity(self.type_out)
        same = self.type_in == self.type_out
        self.lift = None if same else GaugeLinear(self.type_in, self.type_out, bias=False)

    def forward(
        self, x: Float[Tensor, "vertices width_in"], plan: MeshPlan
    ) -> Float[Tensor, "vertices width_out"]:
        """Equivariant as far as the nonlinearity is."""
        y = self.conv(x, plan)
        if self.lift is not None:
            y = y + self.lift(x)
        y = self.nonlinearity(y if self.norm is None else self.norm(y, plan))
        return y + x if self.lift is None else y
