"""One round, the same for every engine: ask, collect until the deadline, check, join, check."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from intertwiner.errors import RunError
from intertwiner.federated.arrays import Kind, averaged
from intertwiner.federated.checks import Reference, check_update
from intertwiner.federated.client import Payload
from intertwiner.federated.reports import RoundReport, describe_updates
from intertwiner.federated.seeds import stream
from intertwiner.federated.settings import FederationConfig
from intertwiner.federated.transport import Reply, Transport
from intertwiner.federated.updates import Aggregated, Aggregator, RoundContext, State, Update

__all__ = ["Server", "asked_clients", "fewest_updates"]


@dataclass(slots=True, kw_only=True)
class Server:
    """The global model between rounds, and the rule that joins updates.

    arrays: all tensors of the model. kinds: what happens to each. state: the aggregator's.
    needs: what the aggregator asks of clients.
    """

    run: str
    seed: int
    settings: FederationConfig
    aggregator: Aggregator
    name: str
    arrays: dict[str, Tensor]
    kinds: Mapping[str, Kind]
    needs: tuple[str, ...] = ()
    state: State = field(default_factory=dict)

    def begin(self) -> None:
        """The aggregator's state before the first round."""
        self.state = self.aggregator.init(averaged(self.arrays, self.kinds))

    def round(self, number: int, transport: Transport) -> RoundReport:
        """Runs round `number` (from 0). A skipped round changes neither arrays nor state.

        Raises `RunError` when the aggregator gives something that is no model.
        """
        started = time.monotonic()
        examples = transport.clients()
        asked = self._ask(number, examples)
        report = RoundReport(round=number, expected=asked)
        transport.send(Payload(run=self.run, round=number, arrays=self.arrays), asked)
        deadline = time.monotonic() + self.settings.deadline_s
        updates = self._collect(transport, report, deadline, examples)
        sound = self._sound(updates, report, examples)
        if sound:
            describe_updates(report, sound, self.arrays, self.kinds)
        report.skipped = self._quorum(sound, asked, examples)
        if not report.skipped:
            context = RoundContext(
                round=number,
                expected=tuple(asked),
                clients=len(examples),
                generator=stream(self.seed, "aggregate", number),
            )
            self._join(sound, context, report)
        report.seconds = time.monotonic() - started
        return report

    def _ask(self, number: int, examples: Mapping[str, int]) -> list[str]:
        """The clients of this round: drawn by run and round, whatever the order they joined in."""
        names = sorted(name for name, count in examples.items() if count > 0)
        if not names:
            raise RunError("no client has any record")
        count = asked_clients(self.settings, len(names))
        order = torch.randperm(len(names), generator=stream(self.seed, "clients", number))
        return sorted(names[index] for index in order[:count].tolist())

    def _collect(
        self,
        transport: Transport,
        report: RoundReport,
        deadline: float,
        examples: Mapping[str, int],
    ) -> dict[str, Update]:
        """The one update of every client that answered this round in time."""
        updates: dict[str, Update] = {}
        for reply in transport.collect(deadline):
            if reply.run != self.run or reply.client not in examples:
                report.unknown.append(f"{reply.client} (run {reply.run})")
            elif reply.round != report.round or reply.client not in report.expected:
                report.late.append(f"{reply.client} (round {reply.round})")
            else:
                _take(reply, updates, report)
            if time.monotonic() > deadline:
                break
        for client in report.conflicts:
            updates.pop(client, None)
        answered = {*updates, *report.failed, *report.conflicts}
        report.missing = [client for client in report.expected if client not in answered]
        return updates

    def _sound(
        self, updates: Mapping[str, Update], report: RoundReport, examples: Mapping[str, int]
    ) -> list[Update]:
        """The updates that hold against the global model, sorted by client."""
        reference = Reference(
            arrays=self.arrays,
            kinds=self.kinds,
            examples=examples,
            needs=self.needs,
            largest=self.settings.max_update_norm,
        )
        sound = []
        for client in sorted(updates):
            rejection = check_update(updates[client], reference)
            if rejection is None:
                sound.append(updates[client])
            else:
                report.rejected.append(rejection)
        return sound

    def _quorum(
        self, sound: Sequence[Update], asked: Sequence[str], examples: Mapping[str, int]
    ) -> str:
        """Why there are too few updates to go on; empty when there are enough."""
        needed, fewest = self.settings.min_clients, fewest_updates(self.aggregator)
        if len(sound) < max(needed, fewest):
            who = f"aggregator {self.name}" if fewest > needed else "min_clients"
            return (
                f"{len(sound)} sound updates, at least {max(needed, fewest)} are asked for ({who})"
            )
        share = sum(u.num_examples for u in sound) / sum(examples[name] for name in asked)
        if share < self.settings.min_examples:
            return (
                f"{share:.0%} of the examples, at least {self.settings.min_examples:.0%} are asked "
                "for (min_examples)"
            )
        return ""

    def _join(self, sound: Sequence[Update], context: RoundContext, report: RoundReport) -> None:
        seen = [replace(u, arrays=averaged(u.arrays, self.kinds)) for u in sound]
        present = averaged(self.arrays, self.kinds)
        joined = self.aggregator.aggregate(seen, present, self.state, context)
        arrays = self._checked(joined, present)
        for name, kind in self.kinds.items():
            if kind == Kind.COUNTER:
                arrays[name] = torch.stack([u.arrays[name] for u in sound]).amax(0)
        self.arrays = {**self.arrays, **arrays}
        self.state = dict(joined.state)
        report.metrics |= {name: float(value) for name, value in joined.metrics.items()}

    def _checked(self, joined: Aggregated, present: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The new arrays in the dtypes of the old; `RunError` names aggregator and array."""
        if set(joined.arrays) != set(present):
            changed = sorted(set(joined.arrays) ^ set(present))
            raise RunError(
                f"aggregator {self.name}: arrays lost or added: {', '.join(changed[:5])}"
            )
        found = {}
        for name, old in present.items():
            new = joined.arrays[name]
            if new.shape != old.shape:
                shapes = f"became {tuple(new.shape)}, was {tuple(old.shape)}"
                raise RunError(f"aggregator {self.name}: {name} {shapes}")
            found[name] = new.detach().to(old.dtype).clone()
            if not bool(found[name].isfinite().all()):
                raise RunError(f"aggregator {self.name}: {name} became NaN or infinite")
        return found


def asked_clients(settings: FederationConfig, clients: int) -> int:
    """How many of `clients` are asked in a round."""
    return max(1, round(settings.fraction * clients))


def fewest_updates(aggregator: Aggregator) -> int:
    """The least number of updates that the aggregator can join."""
    return int(getattr(aggregator, "fewest", 1))


def _take(reply: Reply, updates: dict[str, Update], report: RoundReport) -> None:
    """Files one reply of this round: an update, an error, the same again, or a contradiction."""
    client = reply.client
    if reply.update is None:
        report.failed.setdefault(client, reply.error or "gave no update")
    elif client in updates:
        same = _same(updates[client], reply.update)
        (report.duplicates if same else report.conflicts).append(client)
    else:
        updates[client] = replace(reply.update, client=client)


def _same(one: Update, other: Update) -> bool:
    """Whether two updates hold the same, NaN being equal to itself."""
    if one.num_examples != other.num_examples or set(one.arrays) != set(other.arrays):
        return False
    return all(_equal(one.arrays[name], value) for name, value in other.arrays.items())


def _equal(one: object, other: object) -> bool:
    if not (isinstance(one, Tensor) and isinstance(other, Tensor)):
        return False
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return bool(torch.isclose(one, other, rtol=0, atol=0, equal_nan=True).all())
