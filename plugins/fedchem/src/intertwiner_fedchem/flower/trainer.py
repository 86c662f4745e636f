"""`python -m intertwiner_fedchem.flower.trainer JOB CLIENT SOCKET`: a client that stays in memory.

It answers one request at a time at a socket that only its owner can reach, until it is ended.
"""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from intertwiner.federated.client import Client
from intertwiner.federated.engines import Job
from intertwiner.federated.wire import answer
from intertwiner.registry import load_registry
from intertwiner.training.environment import deterministic
from intertwiner_fedchem.flower.launcher import LAUNCH, flower_command, fork
from intertwiner_fedchem.flower.sockets import receive, send

__all__ = ["main", "serve"]


def main(arguments: Sequence[str]) -> None:
    """Makes the client and serves it."""
    flower_command()
    importlib.import_module("intertwiner_fedchem.flower.client_app")
    job, name, path = Job.from_json(Path(arguments[0]).read_text()), arguments[1], arguments[2]
    with deterministic(job.threads()):
        clients = {client.name: client for client in job.clients(load_registry())}
        with socket.socket(socket.AF_UNIX) as listener:
            os.umask(0o077)
            listener.bind(path)
            listener.listen()
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            while True:
                connection, _ = listener.accept()
                with connection:
                    serve(connection, listener, {name: clients[name]})


def serve(
    connection: socket.socket, listener: socket.socket, clients: Mapping[str, Client]
) -> None:
    """Answers one request; whoever asked may be gone by then."""
    try:
        asked = receive(connection)
        if asked.startswith(LAUNCH):
            fork(asked.removeprefix(LAUNCH), listener)
        else:
            send(connection, answer(clients, asked))
    except OSError as error:
        sys.stderr.write(f"nobody waited for an answer: {error}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
