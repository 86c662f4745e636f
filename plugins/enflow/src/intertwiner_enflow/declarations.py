"""What the flows and kernels say of themselves. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from intertwiner.fields import NODE, Field, Label, Point, Structure, Symmetry
from intertwiner.specs import KernelSpec, ModelSpec

__all__ = ["kernel_specs", "model_specs"]

PAPER: Final = "arXiv:2105.09016"
_PACKAGE: Final = "intertwiner_enflow"
_POSITIONS: Final = (Field("pos", NODE, Point(None)),)
_ATOMS: Final = (Field("pos", NODE, Point()), Field("z", NODE, Label()))
_TINY: Final[Mapping[str, Any]] = {"layers": 2, "features": 8, "tolerance": 1e-4}


def model_specs() -> Iterable[ModelSpec]:
    """The flows, their published form, and the controls."""
    equivariant = Symmetry(space="E(n)", permutes=(NODE,))
    yield _flow("egnn", "Equivariant flow of positions: flow matching, then likelihood",
                "EgnnFlowConfig", "egnn", equivariant, _TINY)  # fmt: skip
    yield _flow("egnn-paper", "The published flow of positions: maximum likelihood alone",
                "PaperFlowConfig", "egnn", equivariant, _TINY)  # fmt: skip
    yield _flow("gnn", "Control: graph network of positions that is not equivariant",
                "GraphFlowConfig", "gnn", Symmetry(permutes=(NODE,)),
                {"layers": 1, "features": 8, "tolerance": 1e-3})  # fmt: skip
    yield _flow("simple", "Control: gradient of a learned pair potential",
                "ControlFlowConfig", "simple", equivariant, {"tolerance": 1e-4})  # fmt: skip
    yield _flow("kernel", "Control: radial field of distance and time, closed-form divergence",
                "ControlFlowConfig", "kernel", equivariant, {"tolerance": 1e-4})  # fmt: skip
    yield _joint("egnn-joint", "Equivariant flow of positions and elements", "JointFlowConfig")
    yield _joint("egnn-joint-paper", "The published joint flow", "PaperJointFlowConfig")


def _flow(
    name: str,
    summary: str,
    config: str,
    builder: str,
    symmetry: Symmetry,
    tiny: Mapping[str, Any],
) -> ModelSpec:
    return ModelSpec(
        name=name,
        summary=summary,
        reference=PAPER,
        target=f"{_PACKAGE}.model:build_{builder}_flow",
        config=f"{_PACKAGE}.config:{config}",
        reads=Structure.ATOMS,
        inputs=_POSITIONS,
        outputs=(),
        symmetry=symmetry,
        tasks=("density",),
        tiny=tiny,
    )


def _joint(name: str, summary: str, config: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        summary=summary,
        reference=PAPER,
        target=f"{_PACKAGE}.joint_model:build_joint_flow",
        config=f"{_PACKAGE}.config:{config}",
        reads=Structure.ATOMS,
        inputs=_ATOMS,
        outputs=(),
        symmetry=Symmetry(space="E(n)", permutes=(NODE,)),
        tasks=("density",),
        tiny={"layers": 1, "features": 8, "dequantizer_layers": 1, "tolerance": 1e-4},
    )


def kernel_specs() -> Iterable[KernelSpec]:
    """The layers compiled and in dense torch, and their two costly blocks."""
    layers = f"{_PACKAGE}.kernels.egnn_layers"
    yield KernelSpec(
        name="egnn-layers-compiled",
        summary="All layers in C++, samples in the lanes of vectors; compiled once at first use",
        op="egnn_layers",
        target=f"{layers}:compiled",
        reference=f"{layers}:reference",
        examples=f"{layers}:examples",
        device="cpu",
        differentiable=1,
        priority=20,
    )
    yield KernelSpec(
        name="egnn-layers-dense",
        summary="All layers in torch, all ordered pairs at once",
        op="egnn_layers",
        target=f"{layers}:dense",
        reference=f"{layers}:reference",
        examples=f"{layers}:examples",
        differentiable=2,
        priority=10,
    )
    examples = f"{_PACKAGE}.kernels.examples"
    edge = {
        "op": "edge_block",
        "reference": f"{examples}:edge_block_reference",
        "examples": f"{examples}:edge_block",
        "differentiable": 2,
    }
    middle = {
        "op": "mid_tangent",
        "reference": f"{_PACKAGE}.kernels.mid_tangent:mid_tangent_reference",
        "examples": f"{examples}:mid_tangent",
        "differentiable": 2,
    }
    gpu = {"device": "cuda", "dtypes": ("float32",), "requires": ("triton",), "priority": 30}
    yield _kernel("edge-block-dense", "Pair terms of a layer, all ordered pairs at once",
                  f"{examples}:edge_block_dense", edge, priority=10)  # fmt: skip
    yield _kernel("edge-block-triton", "Triton: pair terms of a layer, a particle's in registers",
                  f"{_PACKAGE}.kernels.triton.operation:edge_block", edge, **gpu)  # fmt: skip
    yield _kernel("mid-tangent-dense", "Tangents of message sums, some directions at a time",
                  f"{_PACKAGE}.kernels.mid_tangent:mid_tangent", middle, priority=10)  # fmt: skip
    yield _kernel("mid-tangent-triton", "Triton: tangents of message sums, nothing of pairs kept",
                  f"{_PACKAGE}.kernels.triton.operation:mid_tangent", middle, **gpu)  # fmt: skip


def _kernel(
    name: str, summary: str, target: str, operation: Mapping[str, Any], **settings: Any
) -> KernelSpec:
    return KernelSpec(name=name, summary=summary, target=target, **operation, **settings)
