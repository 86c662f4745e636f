"""The declaration of a sound plugin with one item of each kind that the kit covers."""

from __future__ import annotations

from intertwiner import hookimpl
from intertwiner.fields import (
    ANY_NAME,
    GRAPH,
    NODE,
    Field,
    Irreps,
    Label,
    Point,
    Scalar,
    Structure,
    Symmetry,
)
from intertwiner.specs import (
    AdapterSpec,
    Arm,
    DatasetSpec,
    KernelSpec,
    ModelSpec,
    RecipeSpec,
    Scale,
)

INPUTS = (Field("pos", NODE, Point(), "angstrom"), Field("z", NODE, Label()))


@hookimpl
def intertwiner_models():
    yield ModelSpec(
        name="distance-net",
        summary="Sums over pairs",
        target="conformance_toys.model:DistanceNet",
        config="conformance_toys.config:DistanceNetConfig",
        reads=Structure.ATOMS,
        inputs=INPUTS,
        outputs=(
            Field(ANY_NAME, GRAPH, Scalar()),
            Field(ANY_NAME, GRAPH, Irreps("1o")),
            Field("forces", NODE, Irreps("1o")),
        ),
        symmetry=Symmetry(space="E(3)"),
        tiny={"channels": 4},
    )


@hookimpl
def intertwiner_datasets():
    yield DatasetSpec(
        name="dimers",
        summary="Pairs of atoms",
        target="conformance_toys.data:dimers",
        config="conformance_toys.config:DimersConfig",
        gives=Structure.ATOMS,
        provides=INPUTS,
        targets=(Field("energy", GRAPH, Scalar(), "eV"),),
        default_targets=("energy",),
        licence="CC0-1.0",
        offline=True,
        synthetic="conformance_toys.data:synthetic_dimers",
    )


@hookimpl
def intertwiner_kernels():
    yield KernelSpec(
        name="sum",
        summary="A sum",
        op="toy_sum",
        target="conformance_toys.kernels:good",
        reference="conformance_toys.kernels:reference",
        examples="conformance_toys.kernels:examples",
        differentiable=2,
    )


@hookimpl
def intertwiner_adapters():
    yield AdapterSpec(
        name="read-toy",
        summary="Reads nothing",
        target="conformance_toys.adapters:reader",
        config="conformance_toys.config:DistanceNetConfig",
        takes=Structure.FILE,
        gives=Structure.ATOMS,
        suffixes=(".toy",),
    )


@hookimpl
def intertwiner_recipes():
    yield RecipeSpec(
        name="curve",
        summary="A curve",
        model="honest/distance-net",
        dataset="honest/dimers",
        arms=(Arm(name="narrow", overrides={"model.channels": 2}), Arm(name="wide")),
        scales={"small": Scale(overrides={"training.epochs": 1})},
        report="conformance_toys.data:dimers",
    )
