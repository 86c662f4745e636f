"""A third party's plugin whose model claims E(3) and adds the absolute x coordinate."""

from __future__ import annotations

from conformance_toys.honest import INPUTS
from intertwiner import hookimpl
from intertwiner.fields import ANY_NAME, GRAPH, Field, Scalar, Structure, Symmetry
from intertwiner.specs import ModelSpec


@hookimpl
def intertwiner_models():
    yield ModelSpec(
        name="biased",
        summary="Claims to be invariant",
        target="conformance_toys.model:Liar",
        config="conformance_toys.config:DistanceNetConfig",
        reads=Structure.ATOMS,
        inputs=INPUTS,
        outputs=(Field(ANY_NAME, GRAPH, Scalar()),),
        symmetry=Symmetry(space="E(3)"),
        tiny={"channels": 4, "fault": "x coordinate"},
    )
