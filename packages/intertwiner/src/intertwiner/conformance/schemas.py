"""What a model under test is built for: every kind of output alone, and all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from intertwiner.fields import (
    ANY_NAME,
    GRAPH,
    Field,
    Gauge,
    Irreps,
    Point,
    Representation,
    Scalar,
)
from intertwiner.schema import Schema
from intertwiner.specs import ModelSpec

__all__ = ["doubled", "inputs_for", "schemas_for"]

OPEN: Final[Mapping[Representation, tuple[Representation, ...]]] = {
    Point(None): (Point(2), Point(3)),
    Scalar(None): (Scalar(1), Scalar(3)),
}
"""What a declaration may leave open, and what a model that does is tested with."""


def schemas_for(spec: ModelSpec, species: tuple[int, ...]) -> list[Schema]:
    """One schema for each declared output, and one with all where there are several; each in the
    plane and in space for a model that takes any dimension.

    An output of any name is asked for as "target"; one with a name of its own is asked for under
    it, "forces" together with the energy they are the gradient of.
    """
    groups = [_alone(output, spec.outputs) for output in spec.outputs]
    if len(spec.outputs) > 1:
        groups.append(_together(spec.outputs))
    distinct = dict.fromkeys(groups)
    return [
        Schema(structure=spec.reads, inputs=inputs, targets=targets, species=species)
        for inputs in inputs_for(spec)
        for targets in distinct
    ]


def inputs_for(spec: ModelSpec) -> list[tuple[Field, ...]]:
    """The model's inputs; once with each of two choices where it leaves something open."""
    if not any(field.rep in OPEN for field in spec.inputs):
        return [spec.inputs]
    return [
        tuple(
            replace(field, rep=OPEN[field.rep][choice]) if field.rep in OPEN else field
            for field in spec.inputs
        )
        for choice in (0, 1)
    ]


def doubled(schema: Schema, spec: ModelSpec) -> Schema:
    """The schema with twice the channels in every target whose name the model leaves open."""
    fixed = {"energy", *(output.name for output in spec.outputs)}
    targets = (t if t.name in fixed else _double(t) for t in schema.targets)
    return replace(schema, targets=tuple(targets))


def _alone(output: Field, outputs: Iterable[Field]) -> tuple[Field, ...]:
    if output.name == ANY_NAME:
        return (replace(output, name="target"),)
    energy = _energy(outputs)
    if output.name == "forces" and energy is not None:
        return (energy, output)
    return (output,)


def _energy(outputs: Iterable[Field]) -> Field | None:
    for output in outputs:
        if output.site == GRAPH and output.rep == Scalar() and output.name in (ANY_NAME, "energy"):
            return replace(output, name="energy")
    return None


def _together(outputs: Iterable[Field]) -> tuple[Field, ...]:
    named: dict[str, Field] = {}
    outputs = tuple(outputs)
    derived = any(output.name == "forces" for output in outputs)
    for number, output in enumerate(outputs):
        name = f"target_{number}" if output.name == ANY_NAME else output.name
        energy = _energy((output,)) if derived and "energy" not in named else None
        asked = energy or replace(output, name=name)
        named[asked.name] = asked
    return tuple(named.values())


def _double(target: Field) -> Field:
    rep = target.rep
    if isinstance(rep, Scalar):
        return replace(target, rep=Scalar(2 * rep.width))
    if isinstance(rep, Irreps):
        terms = [f"{2 * mul}x{order}{'e' if p > 0 else 'o'}" for mul, order, p in rep.blocks]
        return replace(target, rep=Irreps("+".join(terms)))
    if isinstance(rep, Gauge):
        return replace(target, rep=Gauge("+".join(f"{2 * mul}xr{o}" for mul, o in rep.blocks)))
    return target
