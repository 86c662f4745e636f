"""Clients in worker processes: one that dies or hangs takes nobody with it.

A worker holds all clients and serves one at a time. Weights go over a pipe as safetensors, what
clients remember stays with the server, so any worker can serve any client and results are those of
one process, to the bit where both use as many threads.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

import torch
from torch import Tensor

from intertwiner.errors import RunError
from intertwiner.federated.client import Client, Payload
from intertwiner.federated.transport import Reply
from intertwiner.federated.updates import Arrays
from intertwiner.federated.wire import answer, pack_payload, unpack_reply
from intertwiner.training.environment import deterministic

__all__ = ["Processes"]

_SPAWN = multiprocessing.get_context("spawn")


class Processes:
    """A transport with `count` worker processes, started when they are first needed."""

    def __init__(self, clients: Sequence[Client], count: int) -> None:
        self._clients = {client.name: client for client in clients}
        self._count = min(count, len(clients))
        self._copies = _pickled(clients)
        self._workers: list[_Worker] = []
        self._payload: Payload | None = None
        self._waiting: list[str] = []
        self._kept: dict[str, dict[str, Tensor]] = {name: {} for name in self._clients}

    def clients(self) -> dict[str, int]:
        return {name: client.examples for name, client in self._clients.items()}

    def send(self, payload: Payload, clients: Sequence[str]) -> None:
        """Takes the clients down; workers are started first, so that no deadline is spent on it."""
        self._payload, self._waiting = payload, list(clients)
        while len(self._workers) < self._count:
            self._workers.append(_Worker(self._copies))
        for worker in self._workers:
            worker.wait_until_ready()

    def collect(self, deadline: float) -> Iterator[Reply]:
        """Replies as they come. At the deadline workers still busy are killed."""
        while self._waiting or any(worker.serves for worker in self._workers):
            self._hand_out()
            busy = [worker for worker in self._workers if worker.serves or not worker.ready]
            heard = wait([worker.pipe for worker in busy], max(0.0, deadline - time.monotonic()))
            for worker in [worker for worker in busy if worker.pipe in heard]:
                if worker.ready:
                    yield self._answer(worker)
                else:
                    worker.wait_until_ready()
            if time.monotonic() > deadline:
                break
        self._waiting = []
        for worker in [worker for worker in self._workers if worker.serves]:
            self._dismiss(worker)

    def _hand_out(self) -> None:
        """Gives waiting clients to idle workers, and starts workers that are missing."""
        assert self._payload is not None
        while self._waiting and len(self._workers) < self._count:
            self._workers.append(_Worker(self._copies))
        for worker in self._workers:
            if self._waiting and worker.ready and not worker.serves:
                name = self._waiting.pop(0)
                worker.ask(name, self._payload, self._kept[name])

    def _answer(self, worker: _Worker) -> Reply:
        """What a worker says of the client it served; a dead one is buried."""
        assert self._payload is not None
        name, worker.serves = worker.serves, ""
        given: dict[str, Any] = {
            "run": self._payload.run,
            "round": self._payload.round,
            "client": name,
        }
        try:
            blob = worker.pipe.recv_bytes()
        except (EOFError, OSError):
            code = self._dismiss(worker)
            return Reply(**given, error=f"its process died (exit code {code})")
        reply, kept = unpack_reply(blob)
        if reply.update is not None:
            self._kept[name] = kept
        return reply

    def _dismiss(self, worker: _Worker) -> int | None:
        self._workers.remove(worker)
        return worker.end()

    def remembered(self) -> dict[str, dict[str, Tensor]]:
        return self._kept

    def remember(self, kept: Mapping[str, Mapping[str, Tensor]]) -> None:
        self._kept |= {name: dict(tensors) for name, tensors in kept.items()}

    def close(self) -> None:
        """Ends all workers."""
        while self._workers:
            self._dismiss(self._workers[0])


class _Worker:
    """One process. `serves` is the client it is busy with, empty when it is idle; `ready` says
    whether it has started.
    """

    def __init__(self, clients: bytes) -> None:
        self.pipe, theirs = _SPAWN.Pipe()
        self.serves, self.ready = "", False
        arguments = (theirs, clients, torch.get_num_threads())
        self._process = _SPAWN.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def wait_until_ready(self) -> None:
        """Waits for a process that is starting. Raises `RunError` when it dies of that."""
        if self.ready:
            return
        try:
            self.ready = bool(self.pipe.recv())
        except (EOFError, OSError) as error:
            code = self.end()
            raise RunError(
                f"federation.processes: a worker process died as it started (exit code {code})"
            ) from error

    def ask(self, name: str, payload: Payload, kept: Arrays) -> None:
        """Asks for a round of client `name`. A dead process is noticed when it should answer."""
        self.serves = name
        with suppress(OSError):
            self.pipe.send_bytes(pack_payload(name, payload, kept))

    def end(self) -> int | None:
        """Kills the process and gives its exit code, a negative signal if one ended it."""
        if self._process.exitcode is None:
            self._process.join(0.2 if self.pipe.closed else 0)
        died = self._process.exitcode
        self._process.kill()
        self._process.join()
        self.pipe.close()
        return died if died is not None else self._process.exitcode


def _pickled(clients: Sequence[Client]) -> bytes:
    """The clients for worker processes of our own; whole, as torch would share their memory.

    Raises `RunError` when the model cannot be copied.
    """
    try:
        return pickle.dumps(list(clients))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise RunError(
            f"federation.processes: the model cannot be handed to a worker process ({error}); "
            "use 0, all clients in this process"
        ) from error


def _serve(pipe: Connection, clients: bytes, threads: int) -> None:
    """What a worker does until it is killed: trains the client it is asked for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    by_name: dict[str, Client] = {client.name: client for client in pickle.loads(clients)}
    pipe.send(True)
    with deterministic(threads), suppress(EOFError):
        while True:
            pipe.send_bytes(answer(by_name, pipe.recv_bytes()))
