"""Rules that join clients' updates: order, weights, hull, memory, and that they do anything."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from intertwiner.config import build
from intertwiner.conformance.compare import largest
from intertwiner.conformance.findings import Finding, NotCovered
from intertwiner.federated.state import FederationState, load_federation, save_federation
from intertwiner.federated.updates import Aggregated, Aggregator, RoundContext, State, Update
from intertwiner.specs import AggregatorSpec, load_target

__all__ = ["AGGREGATOR_CHECKS", "aggregator"]

CLIENTS: Final = tuple(f"client-{number}" for number in range(9))
SHAPES: Final = {"weight": (4, 3), "bias": (4,), "scale": ()}
TOLERANCE: Final = 1e-5
Aggregate = Callable[[Sequence[Update], Mapping[str, Tensor], State, RoundContext], Aggregated]


def aggregator(spec: AggregatorSpec) -> list[Finding]:
    """Every property of the rule; each must also reject a copy with a fault put in."""
    missing = [name for name in spec.requires if importlib.util.find_spec(name) is None]
    if missing:
        raise NotCovered(f"aggregator {spec.name} needs {' '.join(missing)}")
    findings = []
    for check, twin in AGGREGATOR_CHECKS:
        found = check(spec, _make(spec))
        if not found and twin is not None and _applies(check, spec):
            broken = _Twin(_make(spec), twin)
            if not check(spec, broken):
                what = f"the check {check.__name__!r} also passes a copy with a fault put in"
                found = [Finding("aggregate", what, hint="whether the updates are used at all")]
        findings += found
    return findings


def _applies(check: Any, spec: AggregatorSpec) -> bool:
    """Properties that are checked only where they are declared."""
    declared = {
        _order: spec.client_order_invariant,
        _hull: spec.convex,
        _agreement: not spec.noisy,
    }
    return bool(declared.get(check, True))


def _make(spec: AggregatorSpec) -> Aggregator:
    made: Aggregator = load_target(spec.target)(build(load_target(spec.config), {}))
    return made


class _Twin:
    """`original` with one fault in what it gives."""

    def __init__(self, original: Aggregator, fault: Callable[..., Mapping[str, Tensor]]) -> None:
        self.original, self.fault = original, fault

    def init(self, arrays: Mapping[str, Tensor]) -> State:
        return self.original.init(arrays)

    def aggregate(
        self,
        updates: Sequence[Update],
        arrays: Mapping[str, Tensor],
        state: State,
        context: RoundContext,
    ) -> Aggregated:
        joined = self.original.aggregate(updates, arrays, state, context)
        return replace(joined, arrays=self.fault(updates, joined.arrays))


def _first_client(updates: Sequence[Update], joined: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: v + 0.1 * updates[0].arrays[name] for name, v in joined.items()}


def _beyond(updates: Sequence[Update], joined: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: v + 100 for name, v in joined.items()}


def _nothing(updates: Sequence[Update], joined: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: torch.zeros_like(v) for name, v in joined.items()}


def _lost(updates: Sequence[Update], joined: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: v.double() / 0 for name, v in joined.items()}


def _arrays(seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=generator) for name, shape in SHAPES.items()}


def _updates(spec: AggregatorSpec, seed: int = 1, spread: float = 0.3) -> list[Update]:
    """Nine clients near the global arrays, of different weights."""
    present = _arrays(0)
    found = []
    for number, client in enumerate(CLIENTS):
        noise = _arrays(100 * seed + number)
        arrays = {name: present[name] + spread * noise[name] for name in SHAPES}
        extra = {name: {key: spread * value for key, value in noise.items()} for name in spec.needs}
        metrics = {"loss": 1.0 + number / 10, "steps": 5.0}
        metrics |= {name: 1.0 + number / 10 for name in spec.needs if name not in metrics}
        update = Update(
            client=client,
            arrays=arrays,
            num_examples=10 * (number + 1),
            metrics=metrics,
            aux=extra,
        )
        found.append(update)
    return found


def _context(number: int = 0) -> RoundContext:
    generator = torch.Generator().manual_seed(number)
    return RoundContext(round=number, expected=CLIENTS, clients=len(CLIENTS), generator=generator)


def _joined(
    rule: Aggregator, updates: Sequence[Update], arrays: Mapping[str, Tensor] | None = None
) -> Mapping[str, Tensor]:
    """The result of one round from the beginning."""
    present = arrays or _arrays(0)
    return rule.aggregate(updates, present, rule.init(present), _context()).arrays


def _whole(spec: AggregatorSpec, rule: Aggregator) -> list[Finding]:
    """Names, shapes and dtypes are kept and every number is finite."""
    joined = _joined(rule, _updates(spec))
    if set(joined) != set(SHAPES):
        return [Finding("aggregate", f"gave {sorted(joined)}, must give {sorted(SHAPES)}")]
    for name, shape in SHAPES.items():
        if tuple(joined[name].shape) != shape or joined[name].dtype != torch.float32:
            what = f"became {tuple(joined[name].shape)} {joined[name].dtype}, was {shape} float32"
            return [Finding(name, what)]
        if not bool(joined[name].isfinite().all()):
            return [Finding(name, "is NaN or infinite, from updates that are all finite")]
    return []


def _untouched(spec: AggregatorSpec, rule: Aggregator) -> list[Finding]:
    """The updates and the global arrays are not changed in place."""
    updates, present = _updates(spec), _arrays(0)
    state = rule.init(present)
    kept = {n: v.clone() for n, v in state.items() if isinstance(v, Tensor)}
    rule.aggregate(updates, present, state, _context())
    for name, value in _arrays(0).items():
        pairs = zip(updates, _updates(spec), strict=True)
        same = all(torch.equal(one.arrays[name], other.arrays[name]) for one, other in pairs)
        if not same or not torch.equal(present[name], value):
            return [Finding(name, "was changed in place", hint="operations that end in _")]
    for name, value in kept.items():
        if not torch.equal(state[name], value):  # type: ignore[arg-type]
            return [Finding(name, "of the state was changed in place", hint="give a new state")]
    return []


def _order(spec: AggregatorSpec, rule: Aggregator) -> list[Finding]:
    """The order in which clients are listed does not matter, to the bit."""
    if not spec.client_order_invariant:
        return []
    updates = _updates(spec)
    expected = _joined(rule, updates)
    for order in ([*reversed(range(9))], [4, 0, 8, 2, 6, 1, 7, 3, 5]):
        got = _joined(rule, [updates[number] for number in order])
        for name, value in expected.items():
            if not torch.equal(value, got[name]):
                what = "another order of the same updates gave another result"
                hint = "sort by client before adding up, and add up in float64"
                error, size = largest(got[name] - value), largest(value)
                return [Finding(name, what, error, size, 0.0, hint)]
    return []


def _hull(spec: AggregatorSpec, rule: Aggregator) -> list[Finding]:
    """A convex rule stays between the least and the largest of the clients' numbers."""
    if not spec.convex:
        return []
    updates = _updates(spec)
    for name, value in _joined(rule, updates).items():
        given = torch.stack([update.arrays[name] for update in updates])
        outside = torch.maximum(given.amin(0) - value, value - given.amax(0))
        if float(outside.max()) > TOLERANCE:
            what = "lies outside what any client sent, though the rule is declared convex"
            return [Finding(name, what, float(outside.max()), largest(given), TOLERANCE)]
    return []


def _agreement(spec: AggregatorSpec, rule: Aggregator) -> list[Finding]:
    """Clients that all send the global arrays back change nothing in the first round."""
    if spec.noisy:
        return []
    present = _arrays(0)
    nothing = {name: {key: 0 * v for key, v in present.items()} for name in spec.needs}
    same = [replace(update, arrays=present, aux=nothing) for update in _updates(spec)]
    for name, value in _joined(rule, same, present).items():
        error, size = largest(value - present[name]), largest(present[name])
        if error > TOLERANCE * max(size, 1.0):
            what = "changed though every client sent back what it was given"
            return [Finding(name, what, error, size, TOLERANCE * max(size, 1.0))]
    return []


def _scale(spec: AggregatorSpec, rule: Aggregator) -> list[Finding]:
    """Three times as many examples everywhere is the same federation."""
    updates = _updates(spec)
    more = [replace(update, num_examples=3 * update.num_examples) for update in updates]
    expected, got = _joined(rule, updates), _joined(rule, more)
    for name, value in expected.items():
        error, size = largest(got[name] - value), largest(value)
        if error > TOLERANCE * max(size, 1.0):
            what = "changed when every client had three times the examples"
            return [Finding(name, what, error, size, TOLERANCE, "divide by the sum of weights")]
    return []


def _answer(spec: AggregatorSpec, rule: Aggregator) -> list[Finding]:
    """Other updates give another result."""
    one, other = _joined(rule, _updates(spec)), _joined(rule, _updates(spec, seed=2))
    if all(torch.equal(one[name], other[name]) for name in one):
        return [Finding("aggregate", "does not answer to the updates: others gave the same")]
    return []


def _memory(spec: AggregatorSpec, rule: Aggregator) -> list[Finding]:
    """Six rounds equal three, a way through a file, and three more: nothing is kept elsewhere."""
    whole, _ = _rounds(spec, rule, range(6), _arrays(0), rule.init(_arrays(0)))
    half, state = _rounds(spec, rule, range(3), _arrays(0), rule.init(_arrays(0)))
    fresh = _make(spec) if not isinstance(rule, _Twin) else rule
    fresh.init(_arrays(5))
    rest, _ = _rounds(spec, fresh, range(3, 6), half, _stored(half, state))
    for name, value in whole.items():
        if not torch.equal(value, rest[name]):
            what = "after storing and loading the state the rounds go another way"
            hint = "what the rule keeps outside its state, or a state that is no tensor or number"
            return [Finding(name, what, largest(rest[name] - value), largest(value), 0.0, hint)]
    return []


def _rounds(
    spec: AggregatorSpec,
    rule: Aggregator,
    numbers: range,
    arrays: Mapping[str, Tensor],
    state: State,
) -> tuple[Mapping[str, Tensor], State]:
    for number in numbers:
        updates = _updates(spec, seed=number + 1)
        joined = rule.aggregate(updates, arrays, state, _context(number))
        arrays, state = joined.arrays, joined.state
    return arrays, state


def _stored(arrays: Mapping[str, Tensor], state: State) -> State:
    """The state after the way through a file that a federation's checkpoint takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.safetensors"
        kept = FederationState(arrays=dict(arrays), aggregator=state)
        save_federation(path, kept, {}, ())
        return load_federation(path, {}, ()).aggregator


Check = Callable[[AggregatorSpec, Aggregator], list[Finding]]
Fault = Callable[..., Mapping[str, Tensor]] | None
AGGREGATOR_CHECKS: Final[tuple[tuple[Check, Fault], ...]] = (
    (_whole, _lost),
    (_untouched, None),
    (_order, _first_client),
    (_hull, _beyond),
    (_agreement, _beyond),
    (_scale, None),
    (_answer, _nothing),
    (_memory, None),
)
