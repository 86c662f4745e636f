"""Amino-acid propensity: which residue was here, from the atoms of all others around it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.data import Dataset
from intertwiner.kernels import dispatch
from intertwiner_steerable3d.data.archive import ProteinSplit, read_archive
from intertwiner_steerable3d.data.config import PropensityData
from intertwiner_steerable3d.data.environments import Environment, Environments
from intertwiner_steerable3d.data.folder import read_folder
from intertwiner_steerable3d.data.made_up import made_up_proteins
from intertwiner_steerable3d.data.proteins import AMINO_ACIDS, ELEMENTS, Proteins
from intertwiner_steerable3d.data.supplied import supplied
from intertwiner_steerable3d.data.volumes import OnDemand
from intertwiner_steerable3d.errors import InvalidInput, VoxelWarning
from intertwiner_steerable3d.voxels.voxelise import REACH

__all__ = ["PARTS", "ResidueVolumes", "assemble", "load", "synthetic"]

PARTS = ("train", "validation", "test")


def load(config: PropensityData) -> Dataset:
    """The environments of all residues of the files; parts never share a protein or cluster.

    Raises `ConfigError` without a path, `InvalidInput` for files that are not what they must be.
    """
    what = "bm5_unbound.npz or a folder of .pdb and .cif files"
    path = supplied(config.path, "propensity", "bm5_unbound.npz", what)
    if path.is_dir():
        return assemble(*read_folder(path, config.split_file), config)
    return assemble(*read_archive(path), config)


def synthetic(count: int, seed: int) -> Dataset:
    """Residues of made-up helices; the type follows from what is around, for tests."""
    proteins, split = made_up_proteins(count, seed)
    return assemble(proteins, split, PropensityData(side=9, step=2.0, sigma=1.6))


def assemble(proteins: Proteins, split: ProteinSplit, config: PropensityData) -> Dataset:
    """The dataset of given proteins."""
    made = ResidueVolumes(proteins, config)
    part = split.part[made.environments.owner]
    numbers = {name: (part == place).nonzero()[:, 0].numpy() for place, name in enumerate(PARTS)}
    for name, found in numbers.items():
        if len(found) == 0:
            raise InvalidInput(f"no residue is in the part {name!r}; see data.split_file")
    if config.shuffled:
        _shuffle(made.labels, numbers["train"], config.seed)
    chosen = {**numbers, "validation": _thinned(numbers["validation"], config.validation)}
    # limit takes the first training records: they are put in an order without order
    draw = torch.Generator().manual_seed(config.seed)
    order = torch.randperm(len(chosen["train"]), generator=draw).numpy()
    chosen["train"] = chosen["train"][order]
    return Dataset(OnDemand(len(made.labels), made.record, keep=config.keep), {"cluster": chosen})


def _thinned(numbers: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many of them, evenly spread; all for 0."""
    if most == 0 or len(numbers) <= most:
        return numbers
    places = np.linspace(0, len(numbers) - 1, most).round().astype(np.int64)
    return np.asarray(numbers[places])


def _shuffle(labels: Int[Tensor, " residues"], numbers: NDArray[np.int64], seed: int) -> None:
    """Training labels in a random order, in place."""
    draw = torch.Generator().manual_seed(seed)
    chosen = torch.from_numpy(numbers)
    labels[chosen] = labels[chosen[torch.randperm(len(chosen), generator=draw)]]


class ResidueVolumes:
    """The volume of every residue that is a target."""

    def __init__(self, proteins: Proteins, config: PropensityData) -> None:
        if config.sigma < config.step / 2:
            text = f"data.sigma {config.sigma} is below half of data.step {config.step}: aliased"
            warnings.warn(text, VoxelWarning, stacklevel=3)
        targets = proteins.targets().nonzero()[:, 0]
        self.proteins, self.config = proteins, config
        radius = config.radius or (config.side - 1) / 2 * config.step
        self.environments = Environments(proteins, targets, radius, config.frame, config.seed)
        self.labels = proteins.amino_acid[targets].clone()

    def record(self, index: int) -> Data:
        """volume: one channel for each of C, N, O, S; counts: see `data.counts`."""
        around = self.environments.around(index)
        record = Data(
            volume=self._volume(self.environments.turned(around, index)),
            residue=self.labels[index : index + 1],
            name=self.name(index),
            num_nodes=1,
        )
        if self.config.counts:
            record.counts = self.environments.counts(around, index)[None]
        return record

    def _volume(self, around: Environment) -> Float[Tensor, "1 4 x y z"]:
        """The operation itself: files were looked over when they were read."""
        pos, element = around
        run = dispatch("voxelise", pos.device, pos.dtype)
        volume: Tensor = run(
            pos / self.config.step + (self.config.side - 1) / 2,
            torch.ones(len(pos)),
            torch.full((len(pos), 3), self.config.sigma / self.config.step),
            element,
            torch.tensor([0, len(pos)]),
            len(ELEMENTS),
            (self.config.side,) * 3,
            REACH,
        )
        return volume

    def name(self, index: int) -> str:
        """Protein, then the residue's number among its residues, from 1 on."""
        owner = int(self.environments.owner[index])
        number = self.environments.residues[index] - self.proteins.residue_ptr[owner]
        return f"{self.proteins.names[owner]}:{int(number) + 1}"


def class_shares(labels: Int[Tensor, " residues"]) -> Mapping[str, float]:
    """The share of every type among `labels`."""
    shares = torch.bincount(labels, minlength=len(AMINO_ACIDS)).double() / len(labels)
    return dict(zip(AMINO_ACIDS, shares.tolist(), strict=True))
