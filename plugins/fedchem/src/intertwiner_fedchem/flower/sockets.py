"""Pieces of bytes over a socket that is a file: how a client's app reaches its trainer."""

from __future__ import annotations

import os
import socket
import struct
import tempfile
from pathlib import Path
from typing import Final

__all__ = ["ask", "receive", "send", "short_folder"]

_LENGTH = struct.Struct("<Q")
_ROOM: Final = 60
"""Of the 107 bytes that a socket's path may have, so many for the folder of the folder."""


def short_folder() -> Path:
    """A new folder of the user's own, under a path short enough for sockets in it."""
    usual = tempfile.gettempdir()
    place = usual if len(os.fsencode(usual)) <= _ROOM else "/tmp"
    return Path(tempfile.mkdtemp(prefix="intertwiner-", dir=place))


def ask(path: str, blob: bytes) -> bytes:
    """The answer of whoever listens at `path`. Raises `OSError` when nobody does."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        send(connection, blob)
        return receive(connection)


def send(connection: socket.socket, blob: bytes) -> None:
    connection.sendall(_LENGTH.pack(len(blob)))
    connection.sendall(blob)


def receive(connection: socket.socket) -> bytes:
    """One piece. Raises `ConnectionError` when it ends early."""
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    return _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(1 << 20, count - len(parts)))
        if not part:
            raise ConnectionError(f"closed after {len(parts)} of {count} bytes")
        parts += part
    return bytes(parts)
