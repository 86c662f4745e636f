from __future__ import annotations

from collections.abc import Iterable

from intertwiner.fields import (
    ANY_NAME,
    GRAPH,
    NODE,
    Field,
    Label,
    Point,
    Scalar,
    Structure,
    Symmetry,
)
from intertwiner.hookspecs import hookimpl
from intertwiner.specs import (
    AdapterSpec,
    AggregatorSpec,
    Arm,
    DatasetSpec,
    KernelSpec,
    ModelSpec,
    Published,
    RecipeSpec,
    Scale,
)

POS = Field("pos", NODE, Point(), "angstrom")
Z = Field("z", NODE, Label())


@hookimpl
def intertwiner_models() -> Iterable[ModelSpec]:
    yield ModelSpec(
        name="distance-net",
        summary="A small network on the distances from the centre",
        target="toy_plugin.model:DistanceNet",
        config="toy_plugin.config:NetConfig",
        reads=Structure.ATOMS,
        inputs=(POS, Z),
        outputs=(Field(ANY_NAME, GRAPH, Scalar()),),
        symmetry=Symmetry(space="E(3)"),
        checkpoint_version=2,
        migrations={1: "toy_plugin.model:lift_first_version"},
        tiny={"channels": 4, "dropout": 0.0},
    )
    yield ModelSpec(
        name="gaussian",
        summary="The density of particles drawn from a normal distribution about their centre",
        target="toy_plugin.density:Gaussian",
        config="toy_plugin.config:NoSettings",
        reads=Structure.ATOMS,
        inputs=(Field("pos", NODE, Point(None)),),
        outputs=(),
        symmetry=Symmetry(space="E(n)"),
        tasks=("density",),
    )


@hookimpl
def intertwiner_datasets() -> Iterable[DatasetSpec]:
    yield DatasetSpec(
        name="pairs",
        summary="Random points and their mean squared distance from the centre",
        target="toy_plugin.data:pairs",
        config="toy_plugin.config:PairsConfig",
        gives=Structure.ATOMS,
        provides=(POS, Z),
        targets=(Field("extent", GRAPH, Scalar(), "angstrom^2"),),
        default_targets=("extent",),
        licence="MIT",
        size=60,
        offline=True,
        synthetic="toy_plugin.data:synthetic",
    )
    yield DatasetSpec(
        name="flat",
        summary="Four particles in the plane, three times as wide as a standard normal",
        target="toy_plugin.data:flat",
        config="toy_plugin.config:FlatConfig",
        gives=Structure.ATOMS,
        provides=(Field("pos", NODE, Point(2), "1"), Z),
        targets=(),
        default_targets=(),
        licence="MIT",
        size=200,
        offline=True,
        synthetic="toy_plugin.data:synthetic_flat",
    )


@hookimpl
def intertwiner_kernels() -> Iterable[KernelSpec]:
    yield KernelSpec(
        name="square-plain",
        summary="x^2",
        op="toy_square",
        target="toy_plugin.kernels:square",
        reference="toy_plugin.kernels:square",
        examples="toy_plugin.kernels:examples",
        differentiable=2,
    )


@hookimpl
def intertwiner_adapters() -> Iterable[AdapterSpec]:
    yield AdapterSpec(
        name="read-points",
        summary="Lines of x y z",
        target="toy_plugin.data:PointsReader",
        config="toy_plugin.config:NoSettings",
        takes=Structure.FILE,
        gives=Structure.ATOMS,
        suffixes=(".points",),
    )


@hookimpl
def intertwiner_recipes() -> Iterable[RecipeSpec]:
    yield RecipeSpec(
        name="widths",
        summary="Narrow against wide",
        model="toy/distance-net",
        dataset="toy/pairs",
        arms=(
            Arm(name="narrow", overrides={"model.channels": 2}),
            Arm(name="wide", overrides={"model.channels": 8}),
        ),
        scales={"small": Scale(overrides={"training.epochs": 2}, seeds=(0, 1))},
        report="toy_plugin.recipes:report",
        published=(Published(name="narrow", value=1.0, unit="angstrom^2", source="nowhere"),),
    )


@hookimpl
def intertwiner_aggregators() -> Iterable[AggregatorSpec]:
    yield AggregatorSpec(
        name="mean",
        summary="Federated averaging",
        target="toy_plugin.aggregators:Mean",
        config="toy_plugin.config:NoSettings",
        convex=True,
    )
    yield AggregatorSpec(
        name="momentum",
        summary="Averaging with a momentum on the server",
        target="toy_plugin.aggregators:Momentum",
        config="toy_plugin.config:MomentumConfig",
    )
    yield AggregatorSpec(
        name="near",
        summary="Averaging of clients that stay near the global weights",
        target="toy_plugin.aggregators:Mean",
        config="toy_plugin.config:NearConfig",
        convex=True,
        client_objective="toy_plugin.aggregators:near",
    )
    yield AggregatorSpec(
        name="mortal",
        summary="Averaging of clients that die, hang or raise",
        target="toy_plugin.aggregators:Mean",
        config="toy_plugin.config:NoSettings",
        convex=True,
        client_objective="toy_plugin.aggregators:mortal",
    )
