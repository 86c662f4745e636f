"""The six hooks. Each takes no argument and yields records; the worked example of each is whole.

A plugin names its module under the entry-point group `intertwiner` in its `pyproject.toml`:

    [project.entry-points.intertwiner]
    my-plugin = "my_package._plugin"

and implements any of these there, with `from intertwiner import hookimpl`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pluggy

from intertwiner.specs import (
    AdapterSpec,
    AggregatorSpec,
    DatasetSpec,
    KernelSpec,
    ModelSpec,
    RecipeSpec,
)

__all__ = ["PROJECT", "hookimpl", "hookspec"]

PROJECT: Final = "intertwiner"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def intertwiner_models() -> Iterable[ModelSpec]:
    """Models that can be trained, checked, federated and shown.

    @hookimpl
    def intertwiner_models():
        yield ModelSpec(
            name="distance-net",
            summary="Sums a learned function of every distance",
            target="my_package.model:build",
            config="my_package.config:DistanceNetConfig",
            reads=Structure.ATOMS,
            inputs=(Field("pos", NODE, Point(), "angstrom"), Field("z", NODE, Label())),
            outputs=(Field(ANY_NAME, GRAPH, Scalar()),),
            symmetry=Symmetry(space="E(3)"),
            tiny={"channels": 4},
        )
    """


@hookspec
def intertwiner_datasets() -> Iterable[DatasetSpec]:
    """Datasets, embedded or downloaded.

    @hookimpl
    def intertwiner_datasets():
        yield DatasetSpec(
            name="dimers",
            summary="Pairs of atoms and their energy",
            target="my_package.data:Dimers",
            config="my_package.config:DimersConfig",
            gives=Structure.ATOMS,
            provides=(Field("pos", NODE, Point(), "angstrom"), Field("z", NODE, Label())),
            targets=(Field("energy", GRAPH, Scalar(), "eV"),),
            default_targets=("energy",),
            licence="CC0-1.0",
            offline=True,
            synthetic="my_package.data:synthetic_dimers",
        )
    """


@hookspec
def intertwiner_aggregators() -> Iterable[AggregatorSpec]:
    """Rules that join the updates of federated clients.

    @hookimpl
    def intertwiner_aggregators():
        yield AggregatorSpec(
            name="mean",
            summary="The mean of the clients' weights",
            target="my_package.aggregate:Mean",
            config="my_package.config:MeanConfig",
            convex=True,
        )
    """


@hookspec
def intertwiner_kernels() -> Iterable[KernelSpec]:
    """Implementations of named operations; the best available one serves.

    @hookimpl
    def intertwiner_kernels():
        yield KernelSpec(
            name="scatter-triton",
            summary="Segment sum in Triton",
            op="segment_sum",
            target="my_package.kernels.scatter_triton:segment_sum",
            reference="my_package.kernels.scatter:segment_sum",
            examples="my_package.kernels.scatter:examples",
            device="cuda",
            requires=("triton",),
            priority=10,
        )
    """


@hookspec
def intertwiner_adapters() -> Iterable[AdapterSpec]:
    """Maps between structures, and readers of files.

    @hookimpl
    def intertwiner_adapters():
        yield AdapterSpec(
            name="read-xyz",
            summary="XYZ files",
            target="my_package.readers:XyzReader",
            config="my_package.config:XyzConfig",
            takes=Structure.FILE,
            gives=Structure.ATOMS,
            suffixes=(".xyz",),
        )
    """


@hookspec
def intertwiner_recipes() -> Iterable[RecipeSpec]:
    """Published experiments that one command runs again.

    @hookimpl
    def intertwiner_recipes():
        yield RecipeSpec(
            name="dimer-curve",
            summary="The binding curve of a dimer",
            model="my-plugin/distance-net",
            dataset="my-plugin/dimers",
            arms=(Arm(name="narrow", overrides={"model.channels": 4}), Arm(name="wide")),
            scales={"small": Scale(overrides={"training.epochs": 5}, seeds=(0, 1))},
            report="my_package.recipes:report",
        )
    """
