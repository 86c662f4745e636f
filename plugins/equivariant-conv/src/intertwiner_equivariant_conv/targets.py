"""Which read-out serves which target."""

from __future__ import annotations

from torch import nn

from intertwiner.fields import GRAPH, NODE, Field, Irreps, Scalar
from intertwiner.schema import Schema
from intertwiner_equivariant_conv.config import DepthwiseConfig
from intertwiner_equivariant_conv.errors import InvalidSetting
from intertwiner_equivariant_conv.layers.readout import (
    DEBYE,
    AtomScalarReadout,
    DipoleReadout,
    MagnitudeReadout,
    PolarizabilityReadout,
    ScalarReadout,
)

__all__ = ["ENERGY", "FORCES", "MAGNITUDES", "build_readouts", "dipole_kind"]

ENERGY = "energy"
FORCES = "forces"
MAGNITUDES = ("dipole_magnitude", "mu")
"""Graph scalars that are the length of a vector."""


def build_readouts(config: DepthwiseConfig, schema: Schema) -> nn.ModuleDict:
    """A read-out for every target but forces, which are a derivative and need the energy's.

    Raises `InvalidSetting` for a target that the settings cannot give.
    """
    readouts = nn.ModuleDict()
    elements = len(schema.species)
    for field in schema.targets:
        if field.name != FORCES:
            readouts[field.name] = _readout(field, config, elements)
        elif ENERGY not in {other.name for other in schema.targets}:
            readouts[ENERGY] = ScalarReadout(config.channels, elements, "sum")
    return readouts


def dipole_kind(config: DepthwiseConfig) -> str:
    """The read-out of a dipole with "auto" decided: "vector" where the features have vectors."""
    if config.dipole_readout != "auto":
        return config.dipole_readout
    return "vector" if config.lmax > 0 else "charge"


def _readout(field: Field, config: DepthwiseConfig, elements: int) -> nn.Module:
    kinds = _kinds(field)
    if kinds == [(0, 1)] and field.site == NODE:
        return AtomScalarReadout(config.channels, elements)
    if kinds == [(0, 1)] and field.site == GRAPH:
        if field.name in MAGNITUDES and dipole_kind(config) != "scalar":
            return MagnitudeReadout(_dipole(field, config, elements))
        return ScalarReadout(config.channels, elements, _pooling(field, config))
    if kinds == [(1, -1)] and field.site == GRAPH:
        return _dipole(field, config, elements)
    if kinds == [(0, 1), (2, 1)] and field.site == GRAPH:
        return PolarizabilityReadout(config.channels, elements, config.lmax)
    raise InvalidSetting(
        f"target {field}: this network gives scalars of atoms and molecules, forces, and of "
        "molecules one vector (1o) or polarizability (0e+2e)"
    )


def _kinds(field: Field) -> list[tuple[int, int]]:
    """(order, parity) of every component; empty for what is not made of irreps."""
    if isinstance(field.rep, Scalar):
        return [(0, 1)] * field.rep.width
    if isinstance(field.rep, Irreps):
        blocks = field.rep.blocks
        return [(order, parity) for count, order, parity in blocks for _ in range(count)]
    return []


def _dipole(field: Field, config: DepthwiseConfig, elements: int) -> DipoleReadout:
    kind = dipole_kind(config)
    if kind == "scalar":
        raise InvalidSetting(f"target {field}: has no scalar read-out; use charge or vector")
    return DipoleReadout(
        config.channels,
        elements,
        config.lmax,
        charges="charge" in kind,
        vectors="vector" in kind,
        total_charge=config.total_charge,
        factor=DEBYE if field.unit == "debye" else 1.0,
    )


def _pooling(field: Field, config: DepthwiseConfig) -> str:
    if config.pooling != "auto":
        return config.pooling
    return "sum" if field.name in config.extensive else "mean"
