"""The models of this plugin."""

from __future__ import annotations

from typing import Final

from intertwiner.fields import (
    ANY_NAME,
    EDGE,
    GRAPH,
    NODE,
    Field,
    Label,
    Point,
    Scalar,
    Structure,
    Symmetry,
)
from intertwiner.specs import ModelSpec
from intertwiner_fedchem.fields import BOND_FIELDS

__all__ = ["MODELS"]

_PACKAGE: Final = "intertwiner_fedchem"
_OUTPUTS: Final = (
    Field(ANY_NAME, GRAPH, Scalar(), summary="numbers per molecule"),
    Field(ANY_NAME, GRAPH, Label(2), summary="yes or no per molecule"),
)

MODELS: Final[tuple[ModelSpec, ...]] = (
    ModelSpec(
        name="mpnn",
        summary="Message passing network of the FedChem benchmark, each distinct message once",
        reference="arXiv:2109.07258",
        target=f"{_PACKAGE}.models.mpnn:MPNN",
        config=f"{_PACKAGE}.config:MPNNConfig",
        reads=Structure.BONDS,
        inputs=BOND_FIELDS,
        outputs=_OUTPUTS,
        symmetry=Symmetry(space=None, permutes=(NODE, EDGE)),
        tasks=("regression", "classification"),
        tiny={"width": 8, "edge_hidden": 4},
    ),
    ModelSpec(
        name="gin",
        summary="Graph isomorphism network with bond features, each distinct state once",
        reference="arXiv:1810.00826",
        target=f"{_PACKAGE}.models.gin:GIN",
        config=f"{_PACKAGE}.config:GINConfig",
        reads=Structure.BONDS,
        inputs=BOND_FIELDS,
        outputs=_OUTPUTS,
        symmetry=Symmetry(space=None, permutes=(NODE, EDGE)),
        tasks=("regression", "classification"),
        tiny={"width": 8, "layers": 2},
    ),
    ModelSpec(
        name="schnet12",
        summary="SchNet with the FedChem benchmark's sizes: a sum over atoms for every target",
        reference="arXiv:1706.08566",
        target=f"{_PACKAGE}.models.schnet:SchNet",
        config=f"{_PACKAGE}.config:SchNetConfig",
        reads=Structure.ATOMS,
        inputs=(
            Field("pos", NODE, Point(), "angstrom", "positions of the atoms"),
            Field("z", NODE, Label(), None, "atomic numbers"),
        ),
        outputs=_OUTPUTS,
        symmetry=Symmetry(space="E(3)", permutes=(NODE,)),
        tasks=("regression", "classification"),
        tiny={"width": 8, "blocks": 2, "basis": 8, "cutoff": 4.0},
    ),
)
