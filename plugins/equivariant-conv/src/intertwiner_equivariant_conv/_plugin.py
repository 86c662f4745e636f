"""What this plugin brings: one network, one operation, one recipe. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

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
from intertwiner.specs import KernelSpec, ModelSpec, RecipeSpec
from intertwiner_equivariant_conv.ablation import ABLATION
from intertwiner_equivariant_conv.studies.angular import ANGULAR_STUDY
from intertwiner_equivariant_conv.studies.dipole import DIPOLE_READOUTS

PAPER = "arXiv:2008.08461"
PACKAGE = "intertwiner_equivariant_conv"


@hookimpl
def intertwiner_models() -> Iterable[ModelSpec]:
    yield ModelSpec(
        name="depthwise",
        summary="Equivariant point convolutions, order 0 to 3: energies, forces, dipoles, charges",
        reference=PAPER,
        target=f"{PACKAGE}.model:build_network",
        config=f"{PACKAGE}.config:DepthwiseConfig",
        reads=Structure.ATOMS,
        inputs=(Field("pos", NODE, Point(), "angstrom"), Field("z", NODE, Label())),
        outputs=(
            Field(ANY_NAME, GRAPH, Scalar(), summary="sum or mean of atomic numbers"),
            Field(ANY_NAME, GRAPH, Irreps("1o"), summary="from charges, atomic vectors, or both"),
            Field(ANY_NAME, GRAPH, Irreps("0e+2e"), summary="polarizability; needs lmax 2"),
            Field(ANY_NAME, NODE, Scalar(), summary="such as atomic charges"),
            Field("forces", NODE, Irreps("1o"), summary="minus the gradient of the energy"),
        ),
        symmetry=Symmetry(space="E(3)", permutes=(NODE,)),
        tiny={"lmax": 2, "channels": 4, "layers": 2, "radial_basis": 4, "radial_hidden": (8,)},
    )
    yield _paper(0, "E(3)", (4,), "distances only")
    yield _paper(1, "SE(3)", (4, 2), "scalars and vectors")
    yield _paper(2, "SE(3)", (4, 2, 2), "scalars, vectors and tensors")


def _paper(lmax: int, space: str, tiny: tuple[int, ...], summary: str) -> ModelSpec:
    """The published network; from vectors on it tells a molecule from its mirror image."""
    return ModelSpec(
        name=f"paper-l{lmax}",
        summary=f"The published network of order {lmax}: all pairs, {summary}",
        reference=PAPER,
        target=f"{PACKAGE}.paper.network:build_network",
        config=f"{PACKAGE}.paper.config:PaperL{lmax}Config",
        reads=Structure.ATOMS,
        inputs=(Field("pos", NODE, Point(), "angstrom"), Field("z", NODE, Label())),
        outputs=(Field(ANY_NAME, GRAPH, Scalar(), summary="sum of atomic numbers"),),
        symmetry=Symmetry(space=space, permutes=(NODE,)),
        tiny={
            "multiplicities": tiny,
            "layers": 3,
            "embed": 6,
            "radial_hidden": 8,
            "radial_basis": 8,
        },
    )


@hookimpl
def intertwiner_kernels() -> Iterable[KernelSpec]:
    reference = f"{PACKAGE}.kernels.reference"
    yield KernelSpec(
        name="tp-scatter-blocked",
        summary="Plain torch over blocks of edges that fit the cache",
        op="tensor_product_scatter",
        target=f"{PACKAGE}.kernels.blocked:tensor_product_scatter",
        reference=f"{reference}:tensor_product_scatter",
        examples=f"{reference}:examples",
        workload=f"{reference}:workload",
        device="any",
        differentiable=2,
        priority=10,
    )
    yield KernelSpec(
        name="tp-scatter-triton",
        summary="Triton with unrolled paths, a program for every node; no atomics",
        op="tensor_product_scatter",
        target=f"{PACKAGE}.kernels.triton.operation:tensor_product_scatter",
        reference=f"{reference}:tensor_product_scatter",
        examples=f"{reference}:examples",
        workload=f"{reference}:workload",
        device="cuda",
        differentiable=2,
        requires=("triton",),
        priority=30,
    )
    yield KernelSpec(
        name="tp-scatter-compiled",
        summary="C++ generated for the paths and the processor, compiled once at first use",
        op="tensor_product_scatter",
        target=f"{PACKAGE}.kernels.compiled.product:tensor_product_scatter",
        reference=f"{reference}:tensor_product_scatter",
        examples=f"{reference}:examples",
        workload=f"{reference}:workload",
        device="cpu",
        differentiable=2,
        priority=20,
    )
    table = f"{PACKAGE}.kernels.table"
    yield KernelSpec(
        name="tp-scatter-table-compiled",
        summary="C++ with radial weights interpolated in a table, chunk by chunk in the cache",
        op="table_product_scatter",
        target=f"{table}.compiled:table_product_scatter",
        reference=f"{table}.reference:table_product_scatter",
        examples=f"{table}.reference:examples",
        workload=f"{table}.reference:workload",
        device="cpu",
        differentiable=2,
        priority=20,
    )


@hookimpl
def intertwiner_recipes() -> Iterable[RecipeSpec]:
    yield ABLATION
    yield ANGULAR_STUDY
    yield DIPOLE_READOUTS
