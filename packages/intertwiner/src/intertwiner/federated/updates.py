"""What clients send and what an aggregator makes of it: named tensors, and nothing hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["Aggregated", "Aggregator", "Arrays", "RoundContext", "State", "Update"]

Arrays = Mapping[str, Tensor]
State = Mapping[str, Tensor | float | int]
"""What an aggregator remembers from round to round: tensors and plain numbers by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What one client sends after its round.

    arrays: the client's weights by name: every floating parameter and running statistic.
    num_examples: how many records it trained on.
    metrics: numbers such as "loss" and "steps". aux: further tensors that the aggregator's spec
    names in `needs`, such as control variates, by name and then by array.
    """

    client: str
    arrays: Arrays
    num_examples: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    aux: Mapping[str, Arrays] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundContext:
    """The circumstances of one aggregation.

    round: counted from 0 over the whole run. expected: the clients asked, sorted.
    clients: how many there are in all. generator: seeded by run and round alone.
    """

    round: int
    expected: tuple[str, ...]
    clients: int
    generator: torch.Generator


@dataclass(frozen=True, slots=True)
class Aggregated:
    """The new global arrays, the state for the next round, and figures for the report."""

    arrays: Arrays
    state: State = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


class Aggregator(Protocol):
    """What `AggregatorSpec.target(config)` gives: pure functions, inputs never changed.

    No file, no clock, no global random numbers. Only sound updates arrive, sorted by client.

    It may have `fewest`, the least number of updates it can join (a round with fewer is skipped),
    and `check(federation, training)`, called before a run with the settings of both sections,
    which raises `ConfigError` for those it cannot work with.
    """

    def init(self, arrays: Arrays) -> State:
        """The state before the first round."""
        ...

    def aggregate(
        self, updates: Sequence[Update], arrays: Arrays, state: State, context: RoundContext
    ) -> Aggregated:
        """The next global arrays from the clients' and the present ones, names and shapes kept."""
        ...
