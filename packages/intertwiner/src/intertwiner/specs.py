"""The records a plugin's hooks yield.

Each is frozen and cheap: whatever is heavy is named by an import string
(`"intertwiner_enflow.model:EnFlow"`), so that listing everything imports no torch.
Fields added in later versions always have a default.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from intertwiner.errors import DeclarationError
from intertwiner.fields import Field, Structure, Symmetry

__all__ = [
    "AdapterSpec",
    "AggregatorSpec",
    "Arm",
    "DatasetSpec",
    "KernelSpec",
    "ModelSpec",
    "Published",
    "RecipeSpec",
    "Scale",
    "Source",
    "Spec",
    "load_target",
]

Stage = Literal["experimental", "stable", "deprecated"]
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_IMPORT = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def _empty() -> Mapping[Any, Any]:
    return MappingProxyType({})


def load_target(text: str) -> Any:
    """The object named by an import string "package.module:attribute".

    Raises `DeclarationError` when there is no such attribute; an import error of the module
    itself passes through, so that a missing dependency is not mistaken for a typo.
    """
    module_name, _, attribute = text.partition(":")
    found: Any = importlib.import_module(module_name)
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            raise DeclarationError(f"{text!r}: {module_name} has no {part!r}") from error
    return found


def _check_import(owner: str, name: str, text: object) -> None:
    if not isinstance(text, str) or _IMPORT.fullmatch(text) is None:
        raise DeclarationError(
            f"{owner}: {name}={text!r} must be an import string such as 'package.module:Name'"
        )


def _check_typed(owner: str, name: str, value: object, kind: Any) -> None:
    for item in value if isinstance(value, tuple) else (value,):
        if not isinstance(item, kind):
            expected = getattr(kind, "__name__", str(kind))
            raise DeclarationError(f"{owner}: {name} must be {expected}, not {item!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What every record says. `name` is unique in its plugin: lower case, digits, hyphens."""

    name: str
    summary: str
    reference: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or _NAME.fullmatch(self.name) is None:
            raise DeclarationError(
                f"{type(self).__name__} name {self.name!r}: use lower case, digits and hyphens"
            )
        owner = f"{type(self).__name__} {self.name!r}"
        for name in self._imports():
            text = getattr(self, name)
            if text is not None:
                _check_import(owner, name, text)
        for name, kind in self._typed():
            _check_typed(owner, name, getattr(self, name), kind)

    def _imports(self) -> tuple[str, ...]:
        """Names of the settings that are import strings."""
        return ()

    def _typed(self) -> tuple[tuple[str, Any], ...]:
        """(setting, type) to be checked; a tuple setting is checked item by item."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec(Spec):
    """A model: `target(config, schema)` is a `torch.nn.Module`.

    The module is called with one `torch_geometric.data.Batch` that carries `inputs`, and returns
    a dictionary with one tensor per target field. `outputs` says which kinds of field it can
    give; a field named `ANY_NAME` stands for any target of its site and representation.
    The module may have `prepare(batches)`, called once with the training data before the first
    step (to set averages and offsets), and `training_loss(batch)` in place of the default one.
    A model with the task "density" has no outputs and learns by its own loss; it may have
    `record_figures(batch)` and `sample(n, *, generator)`.

    migrations: checkpoint version -> import string of `(tensors, config) -> (tensors, config)`
    that lifts a checkpoint of that version by one.
    tiny: settings of an instance that trains a step in well under a second.
    """

    target: str
    config: str
    reads: Structure
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    symmetry: Symmetry | None
    tasks: tuple[str, ...] = ("regression",)
    stage: Stage = "experimental"
    checkpoint_version: int = 1
    migrations: Mapping[int, str] = field(default_factory=_empty)
    tiny: Mapping[str, Any] = field(default_factory=_empty)

    def _imports(self) -> tuple[str, ...]:
        return ("target", "config")

    def _typed(self) -> tuple[tuple[str, Any], ...]:
        return (
            ("reads", Structure),
            ("inputs", Field),
            ("outputs", Field),
            ("symmetry", Symmetry | None),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One official file of a dataset. `sha256` None means no digest was to be had: `note` why."""

    url: str
    filename: str
    sha256: str | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSpec(Spec):
    """A dataset: `target(config)` is a `intertwiner.data.Dataset`.

    provides: the input fields of every record; targets: what can be learned, with units.
    synthetic: `(count, seed) -> Dataset` of the same schema, made in seconds, for tests.
    offline: no download is needed.
    """

    target: str
    config: str
    gives: Structure
    provides: tuple[Field, ...]
    targets: tuple[Field, ...]
    default_targets: tuple[str, ...]
    splits: tuple[str, ...] = ("random",)
    licence: str
    size: int | None = None
    source: tuple[Source, ...] = ()
    offline: bool = False
    synthetic: str

    def _imports(self) -> tuple[str, ...]:
        return ("target", "config", "synthetic")

    def _typed(self) -> tuple[tuple[str, Any], ...]:
        return (
            ("gives", Structure),
            ("provides", Field),
            ("targets", Field),
            ("source", Source),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregatorSpec(Spec):
    """A rule that makes one model of many clients' updates.

    `target(config)` gives an `intertwiner.federated.Aggregator`: `init(arrays)` and
    `aggregate(updates, arrays, state, context)`, pure functions over named tensors.

    needs: names of metrics or aux tensors that clients must send beside their weights.
    client_order_invariant: the result is the same to the bit whatever the order of the updates.
    convex: every number of the result lies between the least and the largest of the clients'.
    client_objective: import string of `(config, context) -> loss(batch)`, what clients minimise in
    place of the usual loss (see `intertwiner.federated.client`).
    noisy: it adds noise on purpose, so that clients that all agree are not left as they are.
    requires: modules that must be importable.
    """

    target: str
    config: str
    needs: tuple[str, ...] = ()
    client_order_invariant: bool = True
    convex: bool = False
    client_objective: str | None = None
    noisy: bool = False
    requires: tuple[str, ...] = ()

    def _imports(self) -> tuple[str, ...]:
        return ("target", "config", "client_objective")


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelSpec(Spec):
    """One implementation of the operation `op`.

    reference: the plain-torch oracle with the same arguments, always available.
    examples: `(dtype, device, generator) -> list of argument tuples` used to verify.
    workload: `(dtype, device, generator) -> arguments` of the size of a real training step, used
    to time; without it the largest example is.
    differentiable: how many times gradients may be taken.
    requires: modules that must be importable. The available kernel of highest priority serves.
    """

    op: str
    target: str
    reference: str
    examples: str
    device: Literal["cpu", "cuda", "any"] = "any"
    dtypes: tuple[str, ...] = ("float32", "float64")
    differentiable: int = 0
    requires: tuple[str, ...] = ()
    priority: int = 0
    workload: str = ""

    def _imports(self) -> tuple[str, ...]:
        return ("target", "reference", "examples", *(("workload",) if self.workload else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSpec(Spec):
    """A map from one structure to another: `target(config)` is a callable on records.

    An adapter that `takes` FILE is a reader: its callable takes a path and gives a list of
    records; `suffixes` says which files it reads.
    needs: fields it reads, which a dataset must provide to be adapted. adds: fields it makes.
    """

    target: str
    config: str
    takes: Structure
    gives: Structure
    adds: tuple[Field, ...] = ()
    suffixes: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    needs: tuple[Field, ...] = ()

    def _imports(self) -> tuple[str, ...]:
        return ("target", "config")

    def _typed(self) -> tuple[tuple[str, Any], ...]:
        fields = (("adds", Field), ("needs", Field))
        return (("takes", Structure), ("gives", Structure), *fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published figure a recipe aims at, with where it was published."""

    name: str
    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One variant of an experiment: dotted settings, such as {"model.lmax": 0}.

    model, dataset: of this arm in place of the recipe's or the scale's.
    aggregator: of an arm that is trained over clients; its overrides may then have the sections
    `federation` and `aggregator`.
    """

    name: str
    overrides: Mapping[str, Any] = field(default_factory=_empty)
    model: str | None = None
    dataset: str | None = None
    aggregator: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How big a recipe is run: dotted settings for every arm, and the seeds.

    dataset, arms: of this scale in place of the recipe's, where they differ.
    """

    overrides: Mapping[str, Any] = field(default_factory=_empty)
    seeds: tuple[int, ...] = (0, 1)
    dataset: str | None = None
    arms: tuple[Arm, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeSpec(Spec):
    """A published experiment. Every arm is trained with every seed of the chosen scale.

    report: `(results, folder) -> Report`, which draws the pictures and gives the figures
    (see `intertwiner.training.recipes`).
    model, dataset, arms: unless an arm names another model, or a scale another dataset or arms.
    """

    model: str
    dataset: str
    arms: tuple[Arm, ...]
    scales: Mapping[str, Scale]
    report: str
    published: tuple[Published, ...] = ()

    def _imports(self) -> tuple[str, ...]:
        return ("report",)

    def _typed(self) -> tuple[tuple[str, Any], ...]:
        return (("arms", Arm), ("published", Published))
