"""Records of atoms and of complexes as volumes, for networks that read nothing else.

The middle of the grid is the mean of the positions, of a complex that of the ligand's. Channels
are elements; what is neither C, N, O nor S is one of them ("other"), and hydrogens have one in
molecules and none in complexes.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch_geometric.data import Data

from intertwiner_steerable3d.errors import InvalidInput
from intertwiner_steerable3d.voxels.config import AtomsToVoxels, ComplexToVoxels
from intertwiner_steerable3d.voxels.grid import Grid
from intertwiner_steerable3d.voxels.voxelise import voxelise_atoms

__all__ = ["VolumeOfAtoms", "VolumeOfComplex"]

ELEMENTS: Final = (6, 7, 8, 16)
"""Atomic numbers with a channel of their own, before "other"."""

_PLACED: Final = ("pos", "z", "part", "edge_index", "cell", "pbc", "volume", "ptr", "batch")


class VolumeOfAtoms:
    """Channels H, C, N, O, S, other, about the mean of the positions."""

    def __init__(self, config: AtomsToVoxels) -> None:
        self.config = config
        self.grid = Grid.cube(config.side, config.step)

    def __call__(self, record: Data) -> Data:
        """Raises `InvalidInput` for atoms in the plane."""
        pos, z = _atoms(record)
        channel = torch.where(z == 1, 0, 1 + _element(z))
        volume = _drawn(pos - _mean(pos, record), channel, 2 + len(ELEMENTS), self)
        return _record(record, volume)


class VolumeOfComplex:
    """Channels C, N, O, S, other of the protein, then of the ligand, about the ligand's mean."""

    def __init__(self, config: ComplexToVoxels) -> None:
        self.config = config
        self.grid = Grid.cube(config.side, config.step)

    def __call__(self, record: Data) -> Data:
        """Raises `InvalidInput` for a complex without a ligand."""
        pos, z = _atoms(record)
        ligand = record.part == 1
        if not bool(ligand.any()):
            raise InvalidInput(f"record {record.name}: no atom of a ligand (part 1)")
        centred = pos - _mean(pos[ligand], record)
        kinds = 1 + len(ELEMENTS)
        channel = _element(z) + torch.where(ligand, kinds, 0)
        chosen = (z != 1) & _near(centred, self.grid, self.config.sigma)
        return _record(record, _drawn(centred[chosen], channel[chosen], 2 * kinds, self))


def _atoms(record: Data) -> tuple[Float[Tensor, "atoms 3"], Int[Tensor, " atoms"]]:
    if record.pos.shape[1] != 3:
        raise InvalidInput(
            f"record {getattr(record, 'name', '')}: positions in {record.pos.shape[1]} dimensions; "
            "volumes are made of atoms in space"
        )
    return record.pos, record.z


def _element(z: Int[Tensor, " atoms"]) -> Int[Tensor, " atoms"]:
    """Place in `ELEMENTS`, behind the last for every other element."""
    known = z[:, None] == z.new_tensor(ELEMENTS)
    return torch.where(known.any(1), known.long().argmax(1), len(ELEMENTS))


def _mean(pos: Float[Tensor, "atoms 3"], record: Data) -> Float[Tensor, " 3"]:
    """In double precision, so that far molecules are drawn as near ones."""
    if len(pos) == 0:
        raise InvalidInput(f"record {getattr(record, 'name', '')}: no atoms")
    return pos.double().mean(dim=0).to(pos.dtype)


def _near(pos: Float[Tensor, "atoms 3"], grid: Grid, sigma: float) -> Bool[Tensor, " atoms"]:
    """Atoms that can leave something in the grid: proteins are larger than it."""
    half = (grid.sides[0] - 1) / 2 * grid.steps[0]
    return (pos.abs() <= half + 6 * sigma).all(dim=1)


def _drawn(pos: Tensor, channel: Tensor, channels: int, adapter: Any) -> Tensor:
    drawn = voxelise_atoms(
        pos,
        channel,
        torch.tensor([0, len(pos)]),
        adapter.grid,
        channels=channels,
        sigma=adapter.config.sigma,
    )
    return drawn.volume


def _record(record: Data, volume: Tensor) -> Data:
    """The volume with whatever the record says of itself as a whole."""
    made = Data(volume=volume, num_nodes=1)
    for key in record.keys():  # noqa: SIM118 - a Data is no mapping
        value = record[key]
        whole = isinstance(value, str) or (isinstance(value, Tensor) and len(value) == 1)
        if key not in _PLACED and key != "num_nodes" and whole:
            made[key] = value
    return made
