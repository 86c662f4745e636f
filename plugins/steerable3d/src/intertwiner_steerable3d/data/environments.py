"""What surrounds a residue: the atoms of all other residues within a radius, in its own frame.

The centre is the virtual C-beta. All atoms of the residue itself are left out, backbone included,
which would give glycine and proline away.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_steerable3d.data.counts import counts
from intertwiner_steerable3d.data.proteins import Proteins, virtual_carbon_beta
from intertwiner_steerable3d.data.rotations import random_rotations

__all__ = ["Environment", "Environments", "residue_frames"]


class Environment(NamedTuple):
    """pos: about the centre, in angstrom; element: 0..3."""

    pos: Float[Tensor, "atoms 3"]
    element: Int[Tensor, " atoms"]


def residue_frames(backbone: Float[Tensor, "residues 3 3"]) -> Float[Tensor, "residues 3 3"]:
    """Rows e1, e2, e3 of a right-handed frame: e1 along C - N, e2 towards CA - N square to it."""
    n, ca, c = backbone.unbind(1)
    first = torch.nn.functional.normalize(c - n, dim=1)
    side = ca - n
    second = side - (side * first).sum(1, keepdim=True) * first
    second = torch.nn.functional.normalize(second, dim=1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=1)


class Environments:
    """The environments of `residues` of `proteins`, made on demand.

    radius: in angstrom. frame: "none" keeps the file's axes, "backbone" turns to the residue's
    own, "random" to axes drawn for each residue from `seed`.
    """

    def __init__(
        self,
        proteins: Proteins,
        residues: Int[Tensor, " targets"],
        radius: float,
        frame: str = "none",
        seed: int = 0,
    ) -> None:
        self.proteins, self.residues, self.radius, self.frame = proteins, residues, radius, frame
        self.seed = seed
        backbone = proteins.backbone[residues]
        self.centres = virtual_carbon_beta(backbone)
        self.owner = proteins.owner()[residues]
        ends = proteins.atom_ptr.tolist()
        self.bounds = list(itertools.pairwise(ends))
        self.frames = residue_frames(backbone)
        self.carbon_alpha = backbone[:, 1] - self.centres

    def __len__(self) -> int:
        return len(self.residues)

    def __getitem__(self, index: int) -> Environment:
        return self.turned(self.around(index), index)

    def counts(self, around: Environment, index: int) -> Float[Tensor, " width"]:
        """Of what `around(index)` gave, see `intertwiner_steerable3d.data.counts`."""
        return counts(*around, self.carbon_alpha[index], self.frames[index])

    def around(self, index: int) -> Environment:
        """The environment in the file's own axes."""
        begin, end = self.bounds[int(self.owner[index])]
        pos = self.proteins.pos[begin:end] - self.centres[index]
        near = torch.linalg.vector_norm(pos, dim=1) < self.radius
        near &= self.proteins.residue[begin:end] != self.residues[index]
        chosen = near.nonzero()[:, 0]
        return Environment(pos[chosen], self.proteins.element[begin:end][chosen])

    def turned(self, around: Environment, index: int) -> Environment:
        """What `around(index)` gave, in the axes asked for."""
        if self.frame == "backbone":
            return Environment(around.pos @ self.frames[index].T, around.element)
        if self.frame == "random":
            draw = torch.Generator().manual_seed(self.seed * 1_000_003 + int(self.residues[index]))
            rotation = random_rotations(1, draw)[0].float()
            return Environment(around.pos @ rotation.T, around.element)
        return around
