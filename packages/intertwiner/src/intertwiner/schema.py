"""What a model is built for: the fields it will be given and asked for, and the elements seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from intertwiner import fields
from intertwiner.errors import DeclarationError
from intertwiner.fields import Field, Representation, Structure

__all__ = ["Schema"]

_REPRESENTATIONS: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (
        fields.Scalar,
        fields.Label,
        fields.Point,
        fields.Irreps,
        fields.Gauge,
        fields.Transporter,
        fields.Index,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The second argument of every model's `target(config, schema)`.

    species: sorted atomic numbers (or other node labels) the model must know.
    """

    structure: Structure
    inputs: tuple[Field, ...]
    targets: tuple[Field, ...]
    species: tuple[int, ...] = ()

    def target(self, name: str) -> Field:
        """The target field called `name`."""
        for found in self.targets:
            if found.name == name:
                return found
        names = ", ".join(field.name for field in self.targets)
        raise DeclarationError(f"no target {name!r} in this schema; it has {names}")

    def to_json(self) -> dict[str, Any]:
        return {
            "structure": self.structure.value,
            "inputs": [_field_to_json(field) for field in self.inputs],
            "targets": [_field_to_json(field) for field in self.targets],
            "species": list(self.species),
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Schema:
        return cls(
            structure=Structure(record["structure"]),
            inputs=tuple(_field_from_json(field) for field in record["inputs"]),
            targets=tuple(_field_from_json(field) for field in record["targets"]),
            species=tuple(record["species"]),
        )


def _field_to_json(field: Field) -> dict[str, Any]:
    rep = field.rep
    arguments = {name: getattr(rep, name) for name in type(rep).__slots__}
    return {
        "name": field.name,
        "site": field.site,
        "rep": {"kind": type(rep).__name__, **arguments},
        "unit": field.unit,
        "summary": field.summary,
    }


def _field_from_json(record: Mapping[str, Any]) -> Field:
    arguments = dict(record["rep"])
    rep: Representation = _REPRESENTATIONS[arguments.pop("kind")](**arguments)
    return Field(record["name"], record["site"], rep, record["unit"], record["summary"])
