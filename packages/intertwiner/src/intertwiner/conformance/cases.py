"""Everything there is to check about one plugin, as a list of cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from intertwiner.conformance.checks import adapters, aggregators, datasets, declarations, kernels
from intertwiner.conformance.checks.models import MODEL_CHECKS, ModelCheck
from intertwiner.conformance.density import is_density, stated_figures
from intertwiner.conformance.findings import Finding, NotCovered
from intertwiner.conformance.schemas import inputs_for, schemas_for
from intertwiner.conformance.structures import kit_for
from intertwiner.conformance.subject import Subject
from intertwiner.errors import DeclarationError
from intertwiner.federated.settings import FederationConfig
from intertwiner.registry import KINDS, Entry, Plugin, Registry
from intertwiner.schema import Schema
from intertwiner.specs import (
    AdapterSpec,
    AggregatorSpec,
    DatasetSpec,
    KernelSpec,
    ModelSpec,
    RecipeSpec,
    Spec,
    load_target,
)
from intertwiner.training.settings import TrainingConfig

__all__ = ["Case", "cases"]


@dataclass(frozen=True, slots=True)
class Case:
    """One check of one item. `run` gives what is wrong; it raises `NotCovered` to be skipped.

    item: "plugin/name", or the plugin's name for its declaration. package: the import name that
    the plugin's own code lies under, to point at its lines.
    """

    item: str
    check: str
    run: Callable[[], list[Finding]]
    package: str

    @property
    def id(self) -> str:
        return f"{self.item}: {self.check}"


def cases(plugin: Plugin, registry: Registry) -> list[Case]:
    """Every case of a plugin. Raises `DeclarationError` when it registers nothing."""
    entries = [entry for kind in KINDS for entry in plugin.entries(kind)]
    if not entries:
        raise DeclarationError(
            f"plugin {plugin.name!r} registers nothing, so there is nothing to check; "
            f"yield records from the hooks in {plugin.module}"
        )
    package = plugin.module.partition(".")[0]
    found = [Case(plugin.name, "free of torch", partial(_declaration, plugin, entries), package)]
    for entry in entries:
        found += [Case(entry.id, name, run, package) for name, run in _checks(entry, registry)]
    return found


def _declaration(plugin: Plugin, entries: list[Entry[Any]]) -> list[Finding]:
    configs = [getattr(entry.spec, "config", None) for entry in entries]
    modules = dict.fromkeys(text.partition(":")[0] for text in configs if text)
    return declarations.free_of_torch((plugin.module, *modules))


Check = tuple[str, Callable[[], list[Finding]]]


def _checks(entry: Entry[Any], registry: Registry) -> Iterator[Check]:
    spec = entry.spec
    yield "imports", partial(declarations.imports_resolve, spec)
    if hasattr(spec, "config"):
        yield "settings", partial(_settings, spec)
    yield from _BY_KIND[type(spec)](spec, registry)


def _settings(spec: Any) -> list[Finding]:
    return declarations.settings(load_target(spec.config), getattr(spec, "tiny", {}))


def _model(spec: ModelSpec, registry: Registry) -> Iterator[Check]:
    yield "declaration", partial(declarations.model_declaration, spec)
    try:
        schemas = _schemas(spec)
    except NotCovered as reason:
        yield "outputs", partial(_skip, str(reason))
        return
    except Exception as error:
        yield "outputs", partial(_raise, error)
        return
    for schema in schemas:
        subject, refused = Subject.of(spec, schema), list[str]()
        targets = ", ".join(str(target) for target in schema.targets)
        where = "" if subject.dimension == 3 else f" in {subject.dimension}D"
        for check in MODEL_CHECKS:
            if check.applies(subject) and (schema is schemas[-1] or not check.once):
                name = f"{check.name} of {targets}{where}"
                yield name, partial(_guarded, check, subject, refused)


def _schemas(spec: ModelSpec) -> list[Schema]:
    """What the model is built for; of a density, with its own figures as targets.

    Raises `NotCovered` where there is nothing to compare, and whatever building a density raises.
    """
    species = kit_for(spec.reads).species
    if not is_density(spec):
        schemas = schemas_for(spec, species)
        if not schemas:
            raise NotCovered("no test of a model that declares no outputs is written yet")
        return schemas
    found = []
    for inputs in inputs_for(spec):
        empty = Schema(structure=spec.reads, inputs=inputs, targets=(), species=species)
        module = Subject.of(spec, empty).bare(torch.float32)
        found.append(replace(empty, targets=stated_figures(module)))
    return found


def _guarded(check: ModelCheck, subject: Subject, refused: list[str]) -> list[Finding]:
    """The check, unless the first one of the same subject has already shown it unusable."""
    if refused:
        raise NotCovered(refused[0])
    sound = False
    try:
        findings = check(subject)
        sound = not findings
    finally:
        if check is MODEL_CHECKS[0] and not sound:
            refused.append(f"not run, because the check '{check.name}' of these targets failed")
    return findings


def _raise(error: Exception) -> list[Finding]:
    raise error


def _skip(reason: str) -> list[Finding]:
    raise NotCovered(reason)


def _dataset(spec: DatasetSpec, registry: Registry) -> Iterator[Check]:
    yield "declaration", partial(datasets.dataset_declaration, spec)
    yield "synthetic stand-in", partial(datasets.synthetic, spec)
    yield "records and splits", partial(datasets.embedded, spec)


def _kernel(spec: KernelSpec, registry: Registry) -> Iterator[Check]:
    yield "agreement with the reference", partial(kernels.kernel, spec)


def _adapter(spec: AdapterSpec, registry: Registry) -> Iterator[Check]:
    yield "declaration", partial(declarations.adapter_declaration, spec)
    yield "conversion", partial(adapters.adapter, spec)


def _aggregator(spec: AggregatorSpec, registry: Registry) -> Iterator[Check]:
    yield "aggregation", partial(aggregators.aggregator, spec)


def _recipe(spec: RecipeSpec, registry: Registry) -> Iterator[Check]:
    yield "arms and scales", partial(_arms, spec, registry)


def _arms(spec: RecipeSpec, registry: Registry) -> list[Finding]:
    """Settings of a model or dataset of another plugin are left out when that is not installed."""

    def kinds(model: str, dataset: str) -> dict[str, Any]:
        found: dict[str, Any] = {"training": TrainingConfig, "federation": FederationConfig}
        for section, kind, name in (("model", "models", model), ("data", "datasets", dataset)):
            if any(name in (entry.id, entry.spec.name) for entry in registry.entries(kind)):
                found[section] = load_target(registry.find(kind, name).spec.config)
        return found

    return declarations.recipe(spec, kinds)


_BY_KIND: Mapping[type[Spec], Callable[[Any, Registry], Iterator[Check]]] = {
    ModelSpec: _model,
    DatasetSpec: _dataset,
    KernelSpec: _kernel,
    AdapterSpec: _adapter,
    AggregatorSpec: _aggregator,
    RecipeSpec: _recipe,
}
