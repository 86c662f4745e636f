"""Pieces of bytes over a socket that is a file: how a client's app reaches its trainer."""

from __future__ import annotations

import socket
import struct

__all__ = ["ask", "receive", "send"]

_LENGTH = struct.Struct("<Q")


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
