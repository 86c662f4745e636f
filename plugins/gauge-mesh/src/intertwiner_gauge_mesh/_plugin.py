"""What this plugin brings: networks on meshes and one operation. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

from intertwiner import hookimpl
from intertwiner.fields import (
    ANY_NAME,
    FACE,
    GRAPH,
    VERTEX,
    Field,
    Index,
    Irreps,
    Label,
    Point,
    Scalar,
    Structure,
    Symmetry,
)
from intertwiner.specs import AdapterSpec, DatasetSpec, KernelSpec, ModelSpec, RecipeSpec
from intertwiner_gauge_mesh.baselines.declarations import baseline_models
from intertwiner_gauge_mesh.datasets.declarations import datasets
from intertwiner_gauge_mesh.moments.declarations import moment_models
from intertwiner_gauge_mesh.readers.declarations import readers
from intertwiner_gauge_mesh.recipes import recipes

PAPER = "arXiv:2003.05425"
PACKAGE = "intertwiner_gauge_mesh"

MESH_INPUTS = (Field("pos", VERTEX, Point()), Field("face", FACE, Index(of=VERTEX)))
CARRIED = (Field("u", VERTEX, Scalar()), Field("v", VERTEX, Irreps("1o")))
OUTPUTS = (
    Field(ANY_NAME, VERTEX, Scalar(), summary="numbers at the vertices"),
    Field(ANY_NAME, VERTEX, Irreps("1o"), summary="vectors in space at the vertices"),
    Field(ANY_NAME, VERTEX, Irreps("0e+2e"), summary="symmetric tensors in space"),
    Field(ANY_NAME, VERTEX, Label(2), summary="a class for every vertex, any number of them"),
    Field(ANY_NAME, GRAPH, Scalar(), summary="mean over the vertices"),
    Field(ANY_NAME, GRAPH, Label(2), summary="a class for the mesh: mean scores of the vertices"),
)
SYMMETRY = Symmetry(space="SE(3)", permutes=(VERTEX, FACE), gauge="SO(2)")
TINY = {"hidden": "4x0+3x1+2x2", "blocks": 1, "head": (8,)}


@hookimpl
def intertwiner_models() -> Iterable[ModelSpec]:
    gem = _model("gem", "Residual gauge-equivariant convolutions on a triangle mesh", "Gem")
    field = _model(
        "gem-field",
        "As gem, of a scalar u and a vector v in space at every vertex",
        "Gem",
        inputs=CARRIED,
    )
    yield from (gem, field)
    yield from moment_models(gem, field)
    yield from baseline_models(gem, field)
    yield _model("gem-unet", "The same on a hierarchy of samples of the surface", "GemUNet")


def _model(name: str, summary: str, kind: str, inputs: tuple[Field, ...] = ()) -> ModelSpec:
    return ModelSpec(
        name=name,
        summary=summary,
        reference=PAPER,
        target=f"{PACKAGE}.model:build_network",
        config=f"{PACKAGE}.config:{kind}Config",
        reads=Structure.MESH,
        inputs=(*MESH_INPUTS, *inputs),
        outputs=OUTPUTS,
        symmetry=SYMMETRY,
        tasks=("regression", "classification"),
        tiny=TINY,
    )


@hookimpl
def intertwiner_kernels() -> Iterable[KernelSpec]:
    reference = f"{PACKAGE}.kernels.reference"
    yield KernelSpec(
        name="gauge-bmm",
        summary="Plain torch: neighbours summed in batches of one degree, channels mixed after",
        op="gauge_aggregate",
        target=f"{PACKAGE}.kernels.bmm:gauge_aggregate",
        reference=f"{reference}:gauge_aggregate",
        examples=f"{reference}:examples",
        workload=f"{reference}:workload",
        device="any",
        differentiable=2,
        priority=10,
    )
    yield KernelSpec(
        name="gauge-compiled",
        summary="C++ over tiles of vertices that fit the cache, compiled once at first use",
        op="gauge_aggregate",
        target=f"{PACKAGE}.kernels.compiled.operation:gauge_aggregate",
        reference=f"{reference}:gauge_aggregate",
        examples=f"{reference}:examples",
        workload=f"{reference}:workload",
        device="cpu",
        differentiable=2,
        priority=20,
    )
    yield KernelSpec(
        name="gauge-triton",
        summary="Triton: sums of a tile of vertices in registers, no atomics",
        op="gauge_aggregate",
        target=f"{PACKAGE}.kernels.triton.operation:gauge_aggregate",
        reference=f"{reference}:gauge_aggregate",
        examples=f"{reference}:examples",
        workload=f"{reference}:workload",
        device="cuda",
        differentiable=2,
        requires=("triton",),
        priority=30,
    )


@hookimpl
def intertwiner_datasets() -> Iterable[DatasetSpec]:
    yield from datasets()


@hookimpl
def intertwiner_adapters() -> Iterable[AdapterSpec]:
    yield from readers()


@hookimpl
def intertwiner_recipes() -> Iterable[RecipeSpec]:
    yield from recipes()
