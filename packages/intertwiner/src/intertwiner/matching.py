"""Which model runs on which dataset: derived from what both declare, never written by hand.

A pair runs when some chain of adapters turns the dataset's structure into the model's, every
input field of the model is then there, and at least one target can be given by the model. A model
without outputs, such as one of a density, needs no target.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from intertwiner.errors import ConfigError
from intertwiner.fields import Field, Point, Scalar, Structure
from intertwiner.registry import Entry
from intertwiner.specs import AdapterSpec, DatasetSpec, ModelSpec

__all__ = ["Match", "adapter_chain", "compatible", "match", "select_targets"]


@dataclass(frozen=True, slots=True)
class Match:
    """The outcome for one pair: `reasons` is empty when the pair runs.

    adapters: what turns the dataset's records into the model's, in order.
    targets: the dataset's targets that this model can learn.
    inputs: the model's; where it takes points of any dimension or any number of scalars, with the
        dataset's.
    """

    model: Entry[ModelSpec]
    dataset: Entry[DatasetSpec]
    reasons: tuple[str, ...]
    adapters: tuple[Entry[AdapterSpec], ...] = ()
    targets: tuple[Field, ...] = ()
    inputs: tuple[Field, ...] = ()

    @property
    def runs(self) -> bool:
        return not self.reasons


def match(
    model: Entry[ModelSpec],
    dataset: Entry[DatasetSpec],
    adapters: Iterable[Entry[AdapterSpec]] = (),
) -> Match:
    """Whether and how `model` runs on `dataset`, trying the shortest adapter chain."""
    chain = adapter_chain(dataset.spec.gives, model.spec.reads, tuple(adapters))
    targets = learnable(model.spec, dataset.spec)
    reasons = _target_reasons(model.spec, dataset.spec, targets)
    if chain is None:
        needs = f"{model.id} reads {model.spec.reads}, {dataset.id} gives {dataset.spec.gives}"
        return Match(model, dataset, (f"{needs}, and no adapter leads there", *reasons))
    provided = list(dataset.spec.provides)
    missing: list[str] = []
    for item in chain:
        missing += [f"{item.id}: {reason}" for reason in _all_missing(item.spec.needs, provided)]
        provided += item.spec.adds
    missing += _all_missing(model.spec.inputs, provided)
    inputs = tuple(_as_provided(field, provided) for field in model.spec.inputs)
    return Match(model, dataset, (*missing, *reasons), chain, targets, inputs)


def _as_provided(field: Field, provided: Sequence[Field]) -> Field:
    """The model's input `field`; what it leaves open, the dataset says."""
    if field.rep not in (Point(None), Scalar(None)):
        return field
    given = [found.rep for found in provided if found.name == field.name]
    return replace(field, rep=given[0]) if given else field


def compatible(
    model: Entry[ModelSpec],
    dataset: Entry[DatasetSpec],
    adapters: Iterable[Entry[AdapterSpec]] = (),
) -> list[str]:
    """The reasons why the pair does not run; empty when it does."""
    return list(match(model, dataset, adapters).reasons)


def learnable(model: ModelSpec, dataset: DatasetSpec) -> tuple[Field, ...]:
    """The dataset's targets that some output of the model can stand for."""
    return tuple(
        target for target in dataset.targets if any(output.fits(target) for output in model.outputs)
    )


def select_targets(found: Match, names: Sequence[str]) -> tuple[Field, ...]:
    """The target fields called `names`, by default the dataset's usual ones the model can give.

    Raises `ConfigError` when a name is unknown or the model cannot give it.
    """
    by_name = {field.name: field for field in found.targets}
    if not names:
        usual = [name for name in found.dataset.spec.default_targets if name in by_name]
        names = usual or list(by_name)[:1]
    for name in names:
        if name not in by_name:
            raise ConfigError(
                f"data.targets: {found.model.id} cannot learn {name!r} of {found.dataset.id}; "
                f"it can learn {', '.join(by_name) or 'nothing there'}"
            )
    return tuple(by_name[name] for name in names)


def _target_reasons(
    model: ModelSpec, dataset: DatasetSpec, targets: tuple[Field, ...]
) -> tuple[str, ...]:
    if targets or not model.outputs:
        return ()
    gives = ", ".join(str(field) for field in model.outputs)
    asked = ", ".join(str(field) for field in dataset.targets) or "nothing to learn"
    return (f"no target fits: the model gives {gives}; the dataset has {asked}",)


def _all_missing(fields: Iterable[Field], provided: Sequence[Field]) -> list[str]:
    return [reason for field in fields if (reason := _missing(field, provided))]


def _missing(field: Field, provided: Sequence[Field]) -> str | None:
    """Why the model's input `field` is not among the provided ones, None when it is."""
    for found in provided:
        if found.name != field.name:
            continue
        open_to = isinstance(field.rep, Point | Scalar) and field.rep.takes(found.rep)
        if found.site != field.site or not (open_to or found.rep == field.rep):
            return f"input {field} differs from the dataset's {found}"
        if field.unit and found.unit != field.unit:
            return f"input {field.name} must be in {field.unit}, the dataset's is in {found.unit}"
        return None
    return f"input {field} is not provided"


def adapter_chain(
    start: Structure, goal: Structure, adapters: Sequence[Entry[AdapterSpec]]
) -> tuple[Entry[AdapterSpec], ...] | None:
    """The shortest chain of adapters from one structure to another (breadth first), or None."""
    waiting: deque[tuple[Structure, tuple[Entry[AdapterSpec], ...]]] = deque([(start, ())])
    seen = {start}
    while waiting:
        structure, chain = waiting.popleft()
        if structure == goal:
            return chain
        for adapter in adapters:
            if adapter.spec.takes == structure and adapter.spec.gives not in seen:
                seen.add(adapter.spec.gives)
                waiting.append((adapter.spec.gives, (*chain, adapter)))
    return None
