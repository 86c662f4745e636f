"""`intertwiner show ID`: everything about one item, its settings included."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from intertwiner.cli._shared import installed, parser, print_json, table
from intertwiner.errors import LookupFailed
from intertwiner.fields import Field, Symmetry
from intertwiner.registry import KINDS, Entry, Registry
from intertwiner.specs import load_target

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    options = parser("show", "everything about one item")
    options.add_argument("id", help="an id such as atoms/gfn2-small, or its short name")
    chosen = options.parse_args(arguments)
    kind, entry = _find(installed(), chosen.id)
    record = {"kind": kind.removesuffix("s"), "id": entry.id, **_plain(entry)}
    settings = _settings(entry.spec)
    if chosen.json:
        print_json({**record, "settings": settings})
        return 0
    width = max(map(len, record))
    print("\n".join(f"{name:<{width}}  {_text(value)}" for name, value in record.items()))
    if settings:
        rows = [(item["name"], item["type"], str(item["default"])) for item in settings]
        print("\n" + table(("setting", "type", "default"), rows))
        print("\n" + _explained(load_target(entry.spec.config)))
    return 0


def _find(registry: Registry, name: str) -> tuple[str, Entry[Any]]:
    """The one item of any kind with this name."""
    found, errors = [], []
    for kind in KINDS:
        try:
            found.append((kind, registry.find(kind, name)))
        except LookupFailed as error:
            errors.append(error)
    if not found:
        ambiguous = [error for error in errors if "write the whole id" in str(error)]
        raise (ambiguous or errors)[0]
    if len(found) > 1:
        kinds = " and ".join(f"{kind.removesuffix('s')} {entry.id}" for kind, entry in found)
        raise LookupFailed(f"{name!r} is the name of {kinds}; list one kind: intertwiner list")
    return found[0]


def _plain(entry: Entry[Any]) -> dict[str, Any]:
    values = {
        field.name: getattr(entry.spec, field.name) for field in dataclasses.fields(entry.spec)
    }
    origin = {"distribution": entry.distribution, "version": entry.version}
    return origin | {name: _json(value) for name, value in values.items() if name != "name"}


def _json(value: Any) -> Any:
    """Records as text or nested plain values."""
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    if isinstance(value, Field | Symmetry):
        return str(value)
    if dataclasses.is_dataclass(value):
        return {
            field.name: _json(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    return value


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_text(item) for item in value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(item)}" for key, item in value.items()) or "-"
    return "-" if value in (None, "") else str(value)


def _type_name(hint: Any) -> str:
    """A type as a reader would say it: "int, >= 1", "'cosine' or 'constant'"."""
    if typing.get_origin(hint) is typing.Annotated:
        inner, *limits = typing.get_args(hint)
        return ", ".join([_type_name(inner), *(_limit(limit) for limit in limits)])
    if typing.get_origin(hint) is tuple:
        return f"list of {_type_name(typing.get_args(hint)[0])}"
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(map(repr, typing.get_args(hint)))
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return " or ".join(_type_name(each) for each in typing.get_args(hint))
    plain = isinstance(hint, type) and not typing.get_args(hint)
    name = hint.__name__ if plain else str(hint).replace("typing.", "")
    return name.replace("NoneType", "none").removeprefix("collections.abc.")


def _limit(limit: Any) -> str:
    """A bound of `annotated_types`, such as ">= 1"."""
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    signs |= {"min_length": "at least", "max_length": "at most"}
    bounds = {sign: getattr(limit, name, None) for name, sign in signs.items()}
    found = [f"{sign} {bound}" for sign, bound in bounds.items() if bound is not None]
    return " and ".join(found) or str(limit)


def _settings(spec: Any) -> list[dict[str, Any]]:
    """Name, type and default of every setting of the item's config, if it has one."""
    if getattr(spec, "config", None) is None:
        return []
    kind = load_target(spec.config)
    hints = typing.get_type_hints(kind, include_extras=True)
    defaults = dataclasses.asdict(kind())
    return [
        {
            "name": field.name,
            "type": _type_name(hints[field.name]),
            "default": defaults[field.name],
        }
        for field in dataclasses.fields(kind)
    ]


def _explained(kind: type) -> str:
    """The docstrings of a config and of the configs it extends, the most general last."""
    kinds = [each for each in kind.__mro__ if dataclasses.is_dataclass(each)]
    return "\n\n".join(inspect.cleandoc(each.__doc__ or "") for each in kinds)
