"""Settings of the datasets. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Interval

from intertwiner.config import DataConfig

__all__ = [
    "AdvectionConfig",
    "BumpyConfig",
    "CurvatureConfig",
    "FaustConfig",
    "RnaConfig",
    "RoughDigitsConfig",
]


@dataclass(frozen=True, kw_only=True)
class BumpyConfig(DataConfig):
    """Which shapes are made. All numbers drawn follow from `seed`; no two parts share a shape.

    shape: bumpy spheres, bumpy tori, or both in turn.
    vertices: of a sphere's mesh; a torus has 160, 640 or 2,560.
    training_shapes, other_shapes: number of shapes to train on, and to validate and test on each.
    triangulation: of the training shapes: "regular" (icosphere, even grid), "jittered" (the same
        with its vertices moved and, on spheres, joined anew), or "both" in turn. Validation and
        test are regular; in the split "remeshed" the test shapes are meshed in a way that is never
        trained on (spiral points on a sphere, a jittered grid of other proportions on a torus), in
        the split "jittered" in that irregular way which may be.
    shuffled: training records have the targets of another shape, vertex by vertex: a control that
        nothing can learn from.
    """

    shape: Literal["sphere", "torus", "both"] = "sphere"
    vertices: Literal[162, 642, 2562] = 642
    training_shapes: Annotated[int, Ge(1)] = 40
    other_shapes: Annotated[int, Ge(1)] = 8
    triangulation: Literal["regular", "jittered", "both"] = "regular"
    shuffled: bool = False
    seed: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True, kw_only=True)
class AdvectionConfig(BumpyConfig):
    """fields: pairs of a scalar and a velocity on every shape; a record has one pair."""

    fields: Annotated[int, Ge(1)] = 8


@dataclass(frozen=True, kw_only=True)
class CurvatureConfig(BumpyConfig):
    """noise: Gaussian, added to every coordinate of the vertices, in mean edge lengths.

    copies: noisy copies of every training shape; a record is one copy.
    """

    noise: Annotated[float, Interval(ge=0.0, le=1.0)] = 0.1
    copies: Annotated[int, Ge(1)] = 1


@dataclass(frozen=True, kw_only=True)
class RoughDigitsConfig(DataConfig):
    """Digits on bent grids.

    size: vertices along a side of the grid. roughness: of the geometry, 0 is flat; the surface is
        displaced along its normal by noise smoothed with a Gaussian of 3 - roughness grid steps.
    geometries: to train on, and as many others to test on.
    test_roughness: of the test geometries, if it is to differ.
    """

    size: Annotated[int, Interval(ge=8, le=64)] = 14
    roughness: Annotated[float, Interval(ge=0.0, le=2.5)] = 1.5
    test_roughness: Annotated[float, Interval(ge=0.0, le=2.5)] | None = None
    geometries: Annotated[int, Ge(1)] = 32
    digits: Annotated[int, Ge(20)] = 1797


@dataclass(frozen=True, kw_only=True)
class RnaConfig(DataConfig):
    """path: the npz file of surfaces, or the folder of the published set.

    split: "official", or only the test surfaces that are "similar" or "dissimilar" to training.
    rotate: every mesh is turned at random, by a rotation that follows from its name and `seed`.
    """

    split: str = "official"
    path: str = ""
    rotate: bool = True
    seed: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True, kw_only=True)
class FaustConfig(DataConfig):
    """path: your own `MPI-FAUST.zip`, or the folder it was unpacked to.

    rotate: test meshes are turned at random. shuffle: the vertices of every test mesh are put in
        random order, and their labels with them.
    """

    split: str = "official"
    path: str = ""
    rotate: bool = False
    shuffle: bool = False
    seed: Annotated[int, Ge(0)] = 0
