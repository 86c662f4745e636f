"""Training volumes turned by the rotations of the grid, for networks that do not know them."""

from __future__ import annotations

import itertools
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["ROTATIONS", "RandomGridRotation", "turn_axes"]


def _rotations() -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """(source of every axis, axes that are reversed) of the 24 proper rotations."""
    found = []
    for source in itertools.permutations(range(3)):
        odd = sum(a > b for a, b in itertools.combinations(source, 2)) % 2
        for count in range(4):
            if count % 2 == odd:
                for flipped in itertools.combinations(range(3), count):
                    found.append((source, flipped))
    return found


ROTATIONS: Final = tuple(_rotations())


def turn_axes(x: Float[Tensor, "*c x y z"], number: int) -> Float[Tensor, "*c x y z"]:
    """A cubic volume of scalars after rotation `number` of the 24."""
    source, flipped = ROTATIONS[number]
    first = x.dim() - 3
    turned = x.permute(*range(first), *(first + axis for axis in source))
    return turned.flip([first + axis for axis in flipped])


class RandomGridRotation(nn.Module):
    """In training every volume is turned by a rotation of its own, drawn anew each time."""

    def __init__(self, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, x: Float[Tensor, "batch c n n n"]) -> Float[Tensor, "batch c n n n"]:
        """The volumes, turned; as they are in evaluation."""
        if not self.training:
            return x
        drawn = torch.randint(len(ROTATIONS), (len(x),), generator=self.generator).tolist()
        turned = [turn_axes(one, number) for one, number in zip(x, drawn, strict=True)]
        return torch.stack(turned) if turned else x
