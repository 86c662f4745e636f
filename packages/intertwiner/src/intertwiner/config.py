"""Settings: frozen dataclasses, filled from YAML and `--section.key value`, checked either way.

A plugin declares each config once, as a frozen dataclass with plain types; ranges are written
with `annotated_types`: `layers: Annotated[int, Ge(1)] = 3`. Unknown keys, wrong types and values
out of range name the dotted path, the value, and the nearest known key.
"""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from intertwiner.errors import ConfigError

__all__ = [
    "DataConfig",
    "build",
    "flags_to_overrides",
    "merge",
    "read_yaml",
    "suggestion",
    "to_plain",
    "unflatten",
]

Config = TypeVar("Config")


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What every dataset's config has; a dataset adds its own settings by subclassing.

    targets: names of the fields to learn; empty for the dataset's default.
    split: the scheme that divides train, validation and test.
    limit: use at most this many training records (the other parts stay whole).
    """

    targets: tuple[str, ...] = ()
    split: str = "random"
    limit: int | None = None


def build(kind: type[Config], values: Mapping[str, Any], path: str = "") -> Config:
    """An instance of the dataclass `kind` from plain `values`, every one checked.

    Raises `ConfigError` naming the dotted path of the first value that is wrong.
    """
    import pydantic

    _refuse_unknown(kind, values, path)
    try:
        checked: Config = pydantic.TypeAdapter(kind).validate_python(dict(values))
    except pydantic.ValidationError as error:
        raise ConfigError(_describe(error, path)) from None
    return checked


def _refuse_unknown(kind: Any, values: Mapping[str, Any], path: str) -> None:
    hints = typing.get_type_hints(kind)
    known = {field.name for field in dataclasses.fields(kind) if field.init}
    for key, value in values.items():
        dotted = f"{path}.{key}" if path else str(key)
        if key not in known:
            raise ConfigError(f"{dotted}: no such setting{suggestion(str(key), known)}")
        inner = hints.get(key)
        if dataclasses.is_dataclass(inner) and isinstance(value, Mapping):
            _refuse_unknown(inner, value, dotted)


def suggestion(word: str, known: typing.Iterable[str]) -> str:
    """ "; did you mean 'layers'?" when something near `word` is known, else the list."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are: {', '.join(names)}" if names else "; there are none"


def _describe(error: Any, path: str) -> str:
    first = error.errors()[0]
    dotted = ".".join([path, *(str(part) for part in first["loc"])]).strip(".")
    return f"{dotted}: {first['msg']}, not {first['input']!r}"


def to_plain(config: Any) -> dict[str, Any]:
    """The settings as plain Python values, ready for YAML or JSON; `build` reads them back."""
    import pydantic

    plain: dict[str, Any] = pydantic.TypeAdapter(type(config)).dump_python(config, mode="json")
    return plain


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Tags that build objects are refused, nothing is executed."""
    import yaml

    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: must hold sections with settings, not {type(found).__name__}")
    return found


def flags_to_overrides(flags: Sequence[str], sections: Sequence[str]) -> dict[str, Any]:
    """`["--model.layers", "3", ...]` as `{"model": {"layers": 3}}`; `--a.b=c` works too.

    Values are read as YAML scalars and lists, exactly as in a file. Raises `ConfigError` for a
    flag outside `sections` and for a flag without a value.
    """
    import yaml

    overrides: dict[str, Any] = {}
    rest = list(flags)
    while rest:
        flag = rest.pop(0)
        name, equals, text = flag.removeprefix("--").partition("=")
        section, dot, _ = name.partition(".")
        if not flag.startswith("--") or not dot or section not in sections:
            known = [f"--{name}.…" for name in sections]
            raise ConfigError(f"{flag}: no such option{suggestion(flag, known)}")
        if not equals:
            if not rest or rest[0].startswith("--"):
                raise ConfigError(f"{flag}: a value must follow")
            text = rest.pop(0)
        try:
            _set(overrides, name.split("."), yaml.safe_load(text))
        except yaml.YAMLError as error:
            raise ConfigError(f"{flag}: cannot read the value {text!r}") from error
    return overrides


def unflatten(dotted: Mapping[str, Any]) -> dict[str, Any]:
    """`{"model.layers": 3}` as `{"model": {"layers": 3}}`."""
    nested: dict[str, Any] = {}
    for name, value in dotted.items():
        _set(nested, name.split("."), value)
    return nested


def _set(nested: dict[str, Any], keys: Sequence[str], value: Any) -> None:
    for key in keys[:-1]:
        nested = nested.setdefault(key, {})
    nested[keys[-1]] = value


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings joined; of two values for one key the later layer's stands."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if isinstance(value, Mapping):
                merged[key] = merge(merged.get(key) or {}, value)
            else:
                merged[key] = value
    return merged
