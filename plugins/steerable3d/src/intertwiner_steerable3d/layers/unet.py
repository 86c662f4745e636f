"""A U-Net of fields: gated blocks, low-pass strides down, their adjoint up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, zip_longest

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_steerable3d.layers.block import BlockSettings, GatedBlock
from intertwiner_steerable3d.layers.field_type import FieldType, check_type, sections
from intertwiner_steerable3d.layers.low_pass import TransposedLowPass

__all__ = ["UNet", "concatenate_fields"]


def concatenate_fields(
    volumes: Sequence[Float[Tensor, "batch _ x y z"]], types: Sequence[FieldType]
) -> tuple[Float[Tensor, "batch c x y z"], FieldType]:
    """Several stacks of fields as one, orders together, and its type."""
    found: dict[int, list[Tensor]] = {}
    for volume, fields in zip(volumes, types, strict=True):
        for order, _, channels in sections(fields):
            found.setdefault(order, []).append(volume[:, channels])
    joined = torch.cat([part for order in sorted(found) for part in found[order]], 1)
    return joined, tuple(map(sum, zip_longest(*types, fillvalue=0)))


class UNet(nn.Module):
    """Fields at every voxel from what is near and what is far.

    levels: types on the grid and on every coarser one, each of half as many voxels along an edge
    (an odd grid keeps its centre). Fields of a coarse grid are spread by the adjoint of the
    low-pass filter and stand beside those of the same level on the way down.
    """

    def __init__(
        self,
        fields_in: FieldType,
        levels: Sequence[FieldType],
        fields_out: FieldType,
        *,
        size: int = 5,
        settings: BlockSettings | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        types = [check_type(fields) for fields in levels]

        def block(before: FieldType, after: FieldType, stride: int = 1) -> GatedBlock:
            return GatedBlock(
                before, after, size, stride=stride, settings=settings, generator=generator
            )

        self.types = types
        self.first = block(fields_in, types[0])
        self.down = nn.ModuleList(block(fine, coarse, 2) for fine, coarse in pairwise(types))
        both = [
            tuple(map(sum, zip_longest(fine, coarse, fillvalue=0)))
            for fine, coarse in pairwise(types)
        ]
        self.up = nn.ModuleList(block(two, fine) for two, fine in zip(both, types, strict=False))
        self.spread = TransposedLowPass(2.0, 2)
        self.last = GatedBlock(
            types[0], fields_out, 1, activated=False, settings=settings, generator=generator
        )

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch d x y z"]:
        """Fields on the grid of the input."""
        kept = [self.first(x)]
        for block in self.down:
            kept.append(block(kept[-1]))
        coarse = kept.pop()
        for level in reversed(range(len(kept))):
            fine = kept[level]
            voxels = (fine.shape[2], fine.shape[3], fine.shape[4])
            spread = self.spread(coarse, voxels)
            joined, _ = concatenate_fields([fine, spread], self.types[level : level + 2])
            coarse = self.up[level](joined)
        found: Tensor = self.last(coarse)
        return found
