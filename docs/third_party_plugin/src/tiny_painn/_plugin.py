"""What tiny-painn brings. Heavy parts are named by import strings: nothing here imports torch."""

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
from intertwiner.specs import (
    DatasetSpec,
    KernelSpec,
    ModelSpec,
)

POS = Field("pos", NODE, Point(), "angstrom")
Z = Field("z", NODE, Label(), summary="atomic number")


@hookimpl
def intertwiner_models() -> Iterable[ModelSpec]:
    yield ModelSpec(
        name="painn",
        summary="Messages of scalars and vectors between near atoms",
        reference="arXiv:2102.03150",
        target="tiny_painn.model:PaiNN",
        config="tiny_painn.config:PaiNNConfig",
        reads=Structure.ATOMS,
        inputs=(POS, Z),
        outputs=(Field(ANY_NAME, GRAPH, Scalar()), Field(ANY_NAME, GRAPH, Irreps("1o"))),
        symmetry=Symmetry(space="E(3)"),
        tiny={"channels": 8, "layers": 2, "waves": 4},
    )


@hookimpl
def intertwiner_datasets() -> Iterable[DatasetSpec]:
    yield DatasetSpec(
        name="ions",
        summary="Small clusters of sodium and chloride ions with their energy and dipole moment",
        target="tiny_painn.data:ions",
        config="tiny_painn.config:IonsConfig",
        gives=Structure.ATOMS,
        provides=(POS, Z),
        targets=(
            Field("energy", GRAPH, Scalar(), "eV"),
            Field("dipole", GRAPH, Irreps("1o"), "e angstrom", "about the centre"),
        ),
        default_targets=("energy", "dipole"),
        licence="CC0-1.0",
        offline=True,
        synthetic="tiny_painn.data:synthetic_ions",
    )


@hookimpl
def intertwiner_kernels() -> Iterable[KernelSpec]:
    yield KernelSpec(
        name="messages-by-component",
        summary="Scalar and vector messages, one component in space after another",
        op="tiny_painn_messages",
        target="tiny_painn.kernels:by_component",
        reference="tiny_painn.kernels:edge_by_edge",
        examples="tiny_painn.kernels:examples",
        differentiable=2,
    )
