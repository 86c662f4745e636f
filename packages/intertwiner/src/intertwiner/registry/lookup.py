"""Finding an item by its id or its short name."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, cast

from intertwiner import __version__
from intertwiner.config import suggestion
from intertwiner.errors import LookupFailed
from intertwiner.registry.discovery import Claim, check_core, discover, refuse_shared_names
from intertwiner.registry.entries import Entry, Failure, Plugin
from intertwiner.registry.isolation import load_plugin
from intertwiner.specs import (
    AdapterSpec,
    AggregatorSpec,
    DatasetSpec,
    KernelSpec,
    ModelSpec,
    RecipeSpec,
)

__all__ = ["Registry", "load_registry"]


class Registry:
    """Every item of every plugin that loaded, and every plugin that did not."""

    def __init__(self, plugins: Iterable[Plugin], failed: Iterable[Failure] = ()) -> None:
        self.plugins = tuple(plugins)
        self.failed = tuple(failed)

    @classmethod
    def from_claims(cls, claims: Iterable[Claim], core_version: str = __version__) -> Registry:
        """The registry of these claims; a plugin that cannot be used becomes a failure."""
        alone, failures = refuse_shared_names(claims)
        plugins = []
        for claim in alone:
            reason = check_core(claim, core_version)
            loaded = (
                Failure(claim.plugin, claim.distribution, claim.version, "core version", reason)
                if reason
                else load_plugin(claim)
            )
            if isinstance(loaded, Plugin):
                plugins.append(loaded)
            else:
                failures.append(loaded)
        return cls(plugins, failures)

    @classmethod
    def from_modules(cls, modules: Mapping[str, ModuleType]) -> Registry:
        """The registry of declarations that are already imported, by plugin name."""
        loaded = [
            load_plugin(Claim(name, module.__name__, name, "0"), module)
            for name, module in modules.items()
        ]
        plugins = [item for item in loaded if isinstance(item, Plugin)]
        return cls(plugins, [item for item in loaded if isinstance(item, Failure)])

    def entries(self, kind: str) -> tuple[Entry[Any], ...]:
        """All items of a kind ("models", "datasets", ...), plugin by plugin."""
        return tuple(entry for plugin in self.plugins for entry in plugin.entries(kind))

    @property
    def models(self) -> tuple[Entry[ModelSpec], ...]:
        return self.entries("models")

    @property
    def datasets(self) -> tuple[Entry[DatasetSpec], ...]:
        return self.entries("datasets")

    @property
    def aggregators(self) -> tuple[Entry[AggregatorSpec], ...]:
        return self.entries("aggregators")

    @property
    def kernels(self) -> tuple[Entry[KernelSpec], ...]:
        return self.entries("kernels")

    @property
    def adapters(self) -> tuple[Entry[AdapterSpec], ...]:
        return self.entries("adapters")

    @property
    def recipes(self) -> tuple[Entry[RecipeSpec], ...]:
        return self.entries("recipes")

    def plugin(self, name: str) -> Plugin:
        """The plugin called `name`. Raises `LookupFailed`, with its failure if it has one."""
        for plugin in self.plugins:
            if plugin.name == name:
                return plugin
        for failure in self.failed:
            if failure.plugin == name:
                raise LookupFailed(str(failure))
        names = [plugin.name for plugin in self.plugins]
        raise LookupFailed(f"no plugin {name!r}{suggestion(name, names)}")

    def model(self, name: str) -> Entry[ModelSpec]:
        return cast("Entry[ModelSpec]", self.find("models", name))

    def dataset(self, name: str) -> Entry[DatasetSpec]:
        return cast("Entry[DatasetSpec]", self.find("datasets", name))

    def aggregator(self, name: str) -> Entry[AggregatorSpec]:
        return cast("Entry[AggregatorSpec]", self.find("aggregators", name))

    def recipe(self, name: str) -> Entry[RecipeSpec]:
        return cast("Entry[RecipeSpec]", self.find("recipes", name))

    def find(self, kind: str, name: str) -> Entry[Any]:
        """The item with this id or, while it is the only one, this short name.

        Raises `LookupFailed` naming the candidates of an ambiguous name, the nearest id of an
        unknown one, or why the plugin that was asked for is left out.
        """
        found = self.entries(kind)
        matches = [entry for entry in found if name in (entry.id, entry.spec.name)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            candidates = " and ".join(entry.id for entry in matches)
            raise LookupFailed(f"{name!r} is the name of {candidates}; write the whole id")
        for failure in self.failed:
            if name.startswith(f"{failure.plugin}/"):
                raise LookupFailed(str(failure))
        known = [entry.id for entry in found] + [entry.spec.name for entry in found]
        hint = suggestion(name, known) if known else "; no plugin gives any"
        raise LookupFailed(f"no {kind.removesuffix('s')} {name!r}{hint}")


@functools.cache
def load_registry() -> Registry:
    """The registry of everything installed, built once in a process."""
    return Registry.from_claims(discover())
