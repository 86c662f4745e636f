"""A schema survives JSON."""

from __future__ import annotations

import json

import pytest

from intertwiner.errors import DeclarationError
from intertwiner.fields import (
    EDGE,
    GRAPH,
    NODE,
    VERTEX,
    Field,
    Gauge,
    Index,
    Irreps,
    Label,
    Point,
    Scalar,
    Structure,
    Transporter,
)
from intertwiner.schema import Schema

SCHEMA = Schema(
    structure=Structure.MESH,
    inputs=(
        Field("pos", NODE, Point(2), "angstrom"),
        Field("z", NODE, Label(10)),
        Field("angle", EDGE, Transporter()),
        Field("ends", EDGE, Index(NODE)),
        Field("flow", VERTEX, Gauge("2xr1")),
    ),
    targets=(
        Field("dipole", GRAPH, Irreps("1x1o"), "debye", "the dipole"),
        Field("e", GRAPH, Scalar(2)),
    ),
    species=(1, 6),
)


def test_a_schema_survives_json():
    assert Schema.from_json(json.loads(json.dumps(SCHEMA.to_json()))) == SCHEMA


def test_an_unknown_target_is_named_with_the_known_ones():
    assert SCHEMA.target("e").rep == Scalar(2)
    with pytest.raises(DeclarationError, match="'mu'.*dipole, e"):
        SCHEMA.target("mu")
