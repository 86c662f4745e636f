"""The registry's own records: an item with its origin, a plugin, a plugin that failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from intertwiner.specs import (
    AdapterSpec,
    AggregatorSpec,
    DatasetSpec,
    KernelSpec,
    ModelSpec,
    RecipeSpec,
    Spec,
)

__all__ = ["KINDS", "Entry", "Failure", "Plugin"]

AnySpec = TypeVar("AnySpec", bound=Spec, covariant=True)

KINDS: Final[Mapping[str, type[Spec]]] = MappingProxyType(
    {
        "models": ModelSpec,
        "datasets": DatasetSpec,
        "aggregators": AggregatorSpec,
        "kernels": KernelSpec,
        "adapters": AdapterSpec,
        "recipes": RecipeSpec,
    }
)
"""Kind of item -> its record. The hook of a kind is called `intertwiner_<kind>`."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[AnySpec]):
    """One record with the plugin and distribution it came from."""

    plugin: str
    distribution: str
    version: str
    spec: AnySpec

    @property
    def id(self) -> str:
        """`plugin/name`, unique among everything installed."""
        return f"{self.plugin}/{self.spec.name}"


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that loaded: the module of its declaration and its records by kind."""

    name: str
    distribution: str
    version: str
    module: str
    records: Mapping[str, tuple[Entry[Any], ...]]

    def entries(self, kind: str) -> tuple[Entry[Any], ...]:
        return self.records.get(kind, ())


@dataclass(frozen=True, slots=True)
class Failure:
    """A plugin that was left out: at which stage, why, and what to do about it."""

    plugin: str
    distribution: str
    version: str
    stage: str
    error: str

    def __str__(self) -> str:
        origin = f"{self.distribution} {self.version}".strip()
        return f"plugin {self.plugin!r} ({origin}) left out at {self.stage}: {self.error}"
