"""`python -m intertwiner_fedchem.flower.trainer JOB CLIENT SOCKET`: a client that stays in memory.

It answers one request at a time at a socket that only its owner can reach, until it is ended.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from intertwiner.federated.engines import Job
from intertwiner.federated.wire import answer
from intertwiner.registry import load_registry
from intertwiner.training.environment import deterministic
from intertwiner_fedchem.flower.sockets import receive, send

__all__ = ["main", "serve"]


def main(arguments: Sequence[str]) -> None:
    """Makes the client and serves it."""
    job, name, path = Job.from_json(Path(arguments[0]).read_text()), arguments[1], arguments[2]
    with deterministic(job.threads()):
        clients = {client.name: client for client in job.clients(load_registry())}
        with socket.socket(socket.AF_UNIX) as listener:
            os.umask(0o077)
            listener.bind(path)
            listener.listen()
            while True:
                connection, _ = listener.accept()
                with connection:
                    serve(connection, {name: clients[name]})


def serve(connection: socket.socket, clients: dict[str, object]) -> None:
    """Answers one request; whoever asked may be gone by then."""
    try:
        send(connection, answer(clients, receive(connection)))  # type: ignore[arg-type]
    except OSError as error:
        sys.stderr.write(f"nobody waited for an answer: {error}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
