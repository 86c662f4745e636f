"""Which read-out a target gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from intertwiner.fields import EDGE, GRAPH, Field, Irreps, Label, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner_equivariant_conv import DepthwiseConfig
from intertwiner_equivariant_conv.errors import InvalidSetting
from intertwiner_equivariant_conv.layers.readout import (
    AtomScalarReadout,
    DipoleReadout,
    MagnitudeReadout,
    PolarizabilityReadout,
    ScalarReadout,
)
from intertwiner_equivariant_conv.targets import build_readouts, dipole_kind

Make = Callable[..., Any]


def test_every_kind_of_target_has_its_read_out(make_schema: Make) -> None:
    names = ("energy", "gap", "mu", "dipole", "polarizability", "charges", "forces")
    readouts = build_readouts(DepthwiseConfig(lmax=2), make_schema(*names))
    kinds = {name: type(readout) for name, readout in readouts.items()}
    assert kinds == {
        "energy": ScalarReadout,
        "gap": ScalarReadout,
        "mu": MagnitudeReadout,
        "dipole": DipoleReadout,
        "polarizability": PolarizabilityReadout,
        "charges": AtomScalarReadout,
    }
    assert (readouts["energy"].pooling, readouts["gap"].pooling) == ("sum", "mean")


def test_forces_alone_bring_an_energy(make_schema: Make) -> None:
    assert list(build_readouts(DepthwiseConfig(), make_schema("forces"))) == ["energy"]


@pytest.mark.parametrize(("lmax", "kind"), [(0, "charge"), (1, "vector"), (2, "vector")])
def test_auto_takes_vectors_where_there_are_any(lmax: int, kind: str) -> None:
    assert dipole_kind(DepthwiseConfig(lmax=lmax)) == kind


def test_length_of_a_dipole_as_a_sum_of_scalars_on_request(make_schema: Make) -> None:
    config = DepthwiseConfig(dipole_readout="scalar")
    assert type(build_readouts(config, make_schema("mu"))["mu"]) is ScalarReadout


def test_pooling_can_be_chosen(make_schema: Make) -> None:
    readouts = build_readouts(DepthwiseConfig(pooling="sum"), make_schema("gap"))
    assert readouts["gap"].pooling == "sum"


@pytest.mark.parametrize(
    "field",
    [
        Field("spin", GRAPH, Irreps("1e")),
        Field("two", GRAPH, Irreps("2x1o")),
        Field("many", GRAPH, Scalar(3)),
        Field("kind", GRAPH, Label(4)),
        Field("bond", EDGE, Scalar()),
    ],
)
def test_other_targets_are_refused(field: Field) -> None:
    schema = Schema(structure=Structure.ATOMS, inputs=(), targets=(field,), species=(1, 6))
    with pytest.raises(InvalidSetting, match=f"target {field.name} .*this network gives"):
        build_readouts(DepthwiseConfig(lmax=2), schema)
