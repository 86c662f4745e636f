"""The gated block: normalisation, convolution, gates, low-pass stride, dropout."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_steerable3d.bases.lattice import Step
from intertwiner_steerable3d.bases.settings import BasisSettings
from intertwiner_steerable3d.errors import VoxelWarning
from intertwiner_steerable3d.layers.convolution import SteerableConv3d
from intertwiner_steerable3d.layers.dropout import FieldDropout
from intertwiner_steerable3d.layers.field_type import FieldType, check_type, count_gates
from intertwiner_steerable3d.layers.gate import Gate
from intertwiner_steerable3d.layers.low_pass import LowPass
from intertwiner_steerable3d.layers.normalization import FieldBatchNorm, NormKind

__all__ = ["BlockSettings", "GatedBlock"]


@dataclass(frozen=True, kw_only=True)
class BlockSettings:
    """What the blocks of a network have in common.

    momentum: of the running averages of the field normalisation, None for none. frozen: they are
    set once, by `layers.calibration`. smooth: a low-pass filter takes the place of a plain stride.
    dropout: of fields.
    The rest as in `SteerableConv3d` and `FieldBatchNorm`.
    """

    basis: BasisSettings = field(default_factory=BasisSettings)
    step: Step = (1.0, 1.0, 1.0)
    momentum: float | None = 0.1
    frozen: bool = False
    norm_kind: NormKind = "field"
    pad_after_norm: bool = False
    smooth: bool = True
    dropout: float = 0.0

    def convolution(
        self,
        fields_in: FieldType,
        fields_out: FieldType,
        size: int,
        *,
        gates: int = 0,
        bias: bool = False,
        stride: int = 1,
        padding: int | None = None,
        generator: torch.Generator | None = None,
    ) -> SteerableConv3d:
        """A convolution with these settings."""
        norm = None
        if self.momentum is not None:
            norm = FieldBatchNorm(
                fields_in, momentum=self.momentum, kind=self.norm_kind, frozen=self.frozen
            )
        return SteerableConv3d(
            fields_in,
            fields_out,
            size,
            gates=gates,
            stride=stride,
            padding=padding,
            basis=self.basis,
            step=self.step,
            norm=norm,
            pad_after_norm=self.pad_after_norm,
            bias=bias,
            generator=generator,
        )


class GatedBlock(nn.Module):
    """Fields to fields: [normalisation ->] convolution -> gates -> stride -> dropout.

    activated: with gates and biases; without, the block is linear. stride: by a low-pass filter of
    scale `stride` where the settings are smooth, else by the convolution.
    """

    def __init__(
        self,
        fields_in: FieldType,
        fields_out: FieldType,
        size: int,
        *,
        stride: int = 1,
        padding: int | None = None,
        activated: bool = True,
        settings: BlockSettings | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        settings = settings or BlockSettings()
        self.fields_out = check_type(fields_out)
        self.stride = stride
        self.convolution = settings.convolution(
            fields_in,
            self.fields_out,
            size,
            gates=count_gates(self.fields_out) if activated else 0,
            bias=activated,
            stride=1 if settings.smooth else stride,
            padding=padding,
            generator=generator,
        )
        self.gate = Gate(self.fields_out) if activated else nn.Identity()
        smooth = settings.smooth and stride > 1
        self.low_pass = LowPass(float(stride), stride) if smooth else nn.Identity()
        rate = settings.dropout
        self.dropout = FieldDropout(self.fields_out, rate) if rate else nn.Identity()
        self._warned = False

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch d x2 y2 z2"]:
        """The block's fields. Warns once where a stride moves the centre of the grid."""
        found = self.gate(self.convolution(x))
        if self.stride > 1 and not self._warned:
            self._warn(x.shape[2] + 2 * self.convolution.padding - self.convolution.size)
        dropped: Tensor = self.dropout(self.low_pass(found))
        return dropped

    def _warn(self, last: int) -> None:
        self._warned = True
        if last % self.stride:
            warnings.warn(
                f"grid centre moves by half a voxel or more: {last + 1} voxels, stride "
                f"{self.stride}; rotation symmetry is exact only if voxels - 1 is a multiple of it",
                VoxelWarning,
                stacklevel=4,
            )
