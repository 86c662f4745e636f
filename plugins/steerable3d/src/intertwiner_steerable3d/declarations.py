"""The models this plugin brings. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from intertwiner.fields import ANY_NAME, GRAPH, VOXEL, Field, Label, Scalar, Structure, Symmetry
from intertwiner.specs import ModelSpec

__all__ = ["models"]

PAPER: Final = "arXiv:1807.02547"
PACKAGE: Final = "intertwiner_steerable3d"
VOLUME: Final = Field("volume", VOXEL, Scalar(None), summary="any number of scalars a voxel")
OUTPUTS: Final = (
    Field(ANY_NAME, GRAPH, Label(4), summary="a class for the volume, any number of them"),
    Field(ANY_NAME, GRAPH, Scalar(), summary="a number for the volume"),
)
TURNS: Final = Symmetry(permutes=(), grid="octahedral")
NONE: Final = Symmetry(permutes=())
SMALL: Final[dict[str, Any]] = {
    "fields": ((3, 1, 1), (4,)),
    "sizes": (3, 3),
    "strides": (2, 2),
    "tau": 0.2,
    "hidden": (8,),
    "shells": 2,
}


def models() -> Iterable[ModelSpec]:
    """Steerable networks, plain ones beside them, and a control without convolutions."""
    yield _model("network", "Steerable network of your own layout", "Network", TURNS, SMALL)
    for name, config, summary in (
        ("tetris", "Tetris", "The paper's network for Tetris, 41,198 parameters"),
        ("shrec17", "Shrec17", "The paper's network for SHREC17"),
        ("cath", "Cath", "The paper's network for CATH, 143,560 parameters for 10 classes"),
        ("propensity", "Propensity", "What lies around a residue: four blocks, shells"),
    ):
        yield _preset(name, config, summary, TURNS)
    for name, config, summary in (
        ("tetris-cnn", "TetrisCnn", "The paper's baseline for Tetris, 6.2 million parameters"),
        ("cath-cnn", "CathCnn", "The paper's baseline for CATH, 15.9 million parameters"),
        ("propensity-cnn", "PropensityCnn", "The grid CNN of Boomsma and Frellsen"),
    ):
        yield _preset(name, config, summary, NONE)
    small = {
        "channels": (16, 16),
        "sizes": (3, 3),
        "strides": (2, 2),
        "smooth": False,
        "hidden": (16,),
    }
    yield _model("cnn", "Plain CNN of your own layout", "Cnn", NONE, small)
    yield ModelSpec(
        name="counts",
        summary="Perceptron on counts of atoms in shells and cells: a control",
        target=f"{PACKAGE}.baselines:build_counts",
        config=f"{PACKAGE}.config:CountsConfig",
        reads=Structure.VOXELS,
        inputs=(Field("counts", GRAPH, Scalar(960), "1", "log(1 + atoms)"),),
        outputs=(Field(ANY_NAME, GRAPH, Label(4), summary="a class for the record"),),
        symmetry=NONE,
        tasks=("classification",),
        tiny={"hidden": (8,), "dropout": 0.0, "input_dropout": 0.0},
    )


def _model(
    name: str, summary: str, kind: str, symmetry: Symmetry, tiny: dict[str, Any], build: str = ""
) -> ModelSpec:
    return ModelSpec(
        name=name,
        summary=summary,
        reference=PAPER,
        target=f"{PACKAGE}.model:build_{build or name}",
        config=f"{PACKAGE}.config:{kind}Config",
        reads=Structure.VOXELS,
        inputs=(VOLUME,),
        outputs=OUTPUTS,
        symmetry=symmetry,
        tasks=("classification", "regression"),
        tiny=tiny,
    )


def _preset(name: str, kind: str, summary: str, symmetry: Symmetry) -> ModelSpec:
    small = {"preset": "tiny" if symmetry is TURNS else "tiny_cnn"}
    return _model(name, summary, kind, symmetry, small, "preset")
