"""How payloads reach clients and replies come back; in one process, or by an engine of a plugin."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from intertwiner.federated.client import Client, Payload
from intertwiner.federated.updates import Update

__all__ = ["InProcess", "Reply", "Transport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer: an update, or why there is none. `run` and `round` are those it answers."""

    run: str
    round: int
    client: str
    update: Update | None = None
    error: str = ""


class Transport(Protocol):
    """What the rounds need of an engine."""

    def clients(self) -> Mapping[str, int]:
        """The clients that joined, with the number of records each declared."""
        ...

    def send(self, payload: Payload, clients: Sequence[str]) -> None:
        """Asks these clients for a round."""
        ...

    def collect(self, deadline: float) -> Iterator[Reply]:
        """Replies as they come, also late ones of earlier rounds, until all that were asked have
        answered or `time.monotonic()` passes `deadline`.
        """
        ...

    def remembered(self) -> dict[str, dict[str, Tensor]]:
        """What clients keep from round to round, where the engine can know it."""
        ...

    def remember(self, kept: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Puts back what `remembered` gave."""
        ...

    def close(self) -> None:
        """Ends what the engine started."""
        ...


class InProcess:
    """All clients in this process, one after the other. A client that raises has failed."""

    def __init__(self, clients: Sequence[Client]) -> None:
        self._clients = {client.name: client for client in clients}
        self._asked: list[tuple[Payload, str]] = []

    def clients(self) -> dict[str, int]:
        return {name: client.examples for name, client in self._clients.items()}

    def send(self, payload: Payload, clients: Sequence[str]) -> None:
        self._asked = [(payload, name) for name in clients]

    def collect(self, deadline: float) -> Iterator[Reply]:
        for payload, name in self._asked:
            if time.monotonic() > deadline:
                return
            yield self._answer(payload, name)

    def _answer(self, payload: Payload, name: str) -> Reply:
        given = {"run": payload.run, "round": payload.round, "client": name}
        try:
            update = self._clients[name].fit(payload)
        except Exception as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            return Reply(**given, error=text)  # type: ignore[arg-type]
        return Reply(**given, update=update)  # type: ignore[arg-type]

    def remembered(self) -> dict[str, dict[str, Tensor]]:
        return {name: client.remembered for name, client in self._clients.items()}

    def remember(self, kept: Mapping[str, Mapping[str, Tensor]]) -> None:
        for name, tensors in kept.items():
            self._clients[name].remembered = dict(tensors)

    def close(self) -> None:
        """Nothing was started."""
