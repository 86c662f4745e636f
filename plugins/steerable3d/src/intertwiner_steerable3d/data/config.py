"""Settings of the datasets. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Interval

from intertwiner.config import DataConfig

__all__ = ["Atom3dData", "CathData", "Frame", "PropensityData", "TetrisData"]

Frame = Literal["none", "random", "backbone"]
Positive = Annotated[float, Gt(0)]
Side = Annotated[int, Interval(ge=1, le=128)]


@dataclass(frozen=True, kw_only=True)
class TetrisData(DataConfig):
    """Eight pieces, turned.

    mode: "analytic" draws Gaussians at the turned places of the cubes; "paper" turns a volume of
        36 voxels by splines, and has no other settings than the numbers of rotations.
    side: voxels along an edge; spacing of the cubes and sigma of the Gaussians in voxels.
    rotations, other_rotations: of each piece to train on, and to validate and test on each.
    """

    mode: Literal["analytic", "paper"] = "analytic"
    side: Side = 17
    spacing: Positive = 2.6
    sigma: Positive = 1.0
    rotations: Annotated[int, Ge(1)] = 1
    other_rotations: Annotated[int, Ge(1)] = 25
    seed: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True, kw_only=True)
class GridData(DataConfig):
    """side: voxels along an edge; step: their distance, sigma: of the Gaussians, in angstrom."""

    side: Side = 25
    step: Positive = 1.0
    sigma: Positive = 1.0


@dataclass(frozen=True, kw_only=True)
class PropensityData(GridData):
    """Which amino acid a residue was, from the atoms around it.

    path: `bm5_unbound.npz`, or a folder of .pdb and .cif files, .gz or not.
    split_file: for a folder, lines "NAME train|validation|test [CLUSTER]"; without one, files are
        dealt out by name alone, which keeps no similar proteins apart (warned of).
    frame: axes of the volumes: the file's ("none"), "random" for every residue, or the residue's
        own ("backbone").
    radius: of the surroundings, in angstrom; 0 takes what the grid holds in every direction.
    validation: at most so many residues to validate on, evenly spread; 0 for all.
    counts: records carry the counts of atoms that the control goes by.
    keep: records stay in memory once made: for small grids and many epochs.
    shuffled: training residues have the types of others: a control that nothing can learn from.
    """

    split: str = "cluster"
    path: str = ""
    split_file: str = ""
    frame: Frame = "none"
    radius: Annotated[float, Ge(0)] = 0.0
    validation: Annotated[int, Ge(0)] = 0
    counts: bool = True
    keep: bool = False
    shuffled: bool = False
    seed: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True, kw_only=True)
class CathData(GridData):
    """The CATH sets of deepfold, from your own download.

    path: one of its npz files, such as `cath_10arch_ca.npz`. rotate: every domain is turned at
        random, by a rotation that follows from its number and `seed`.
    """

    split: str = "folds"
    path: str = ""
    side: Side = 50
    step: Positive = 2.0
    rotate: bool = False
    seed: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True, kw_only=True)
class Atom3dData(GridData):
    """ATOM3D's residue identity set, from your own download.

    path: the folder `split-by-cath-topology/data` or one above it; needs the Python package lmdb.
    structures: at most so many of each part are read, 0 for all (which need much memory).
    """

    split: str = "topology"
    path: str = ""
    structures: Annotated[int, Ge(0)] = 500
