"""What goes between server and clients in other processes: one piece of bytes each way.

Tensors travel as safetensors, which keep every bit and run no code when they are read; what is no
tensor travels as JSON in the same piece.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from intertwiner.errors import RunError
from intertwiner.federated.client import Client, Payload
from intertwiner.federated.transport import Reply
from intertwiner.federated.updates import Arrays, Update
from intertwiner.training.state import prefixed, unprefixed

__all__ = ["answer", "pack_payload", "unpack_reply"]

_LENGTH = struct.Struct("<Q")


def pack_payload(client: str, payload: Payload, kept: Arrays) -> bytes:
    """What client `client` is asked for. kept: what it remembers from its last round."""
    tensors = prefixed("arrays", payload.arrays) | prefixed("kept", kept)
    return _packed({"client": client, "run": payload.run, "round": payload.round}, tensors)


def answer(clients: Mapping[str, Client], blob: bytes) -> bytes:
    """Trains the client that `blob`, of `pack_payload`, asks for. Errors of the client are part of
    the answer.
    """
    asked, tensors = _unpacked(blob)
    head = {name: asked[name] for name in ("client", "run", "round")}
    try:
        client = clients[asked["client"]]
        client.remembered = unprefixed("kept", tensors)
        arrays = unprefixed("arrays", tensors)
        update = client.fit(Payload(run=asked["run"], round=asked["round"], arrays=arrays))
    except Exception as error:
        return _packed({**head, "error": " ".join(f"{type(error).__name__}: {error}".split())}, {})
    return _pack_update(head, update, client.remembered)


def _pack_update(head: Mapping[str, Any], update: Update, kept: Arrays) -> bytes:
    tensors = prefixed("arrays", update.arrays) | prefixed("kept", kept)
    for group, arrays in update.aux.items():
        tensors |= prefixed(f"aux/{group}", arrays)
    numbers = {"num_examples": update.num_examples, "metrics": dict(update.metrics)}
    return _packed({**head, **numbers}, tensors)


def unpack_reply(blob: bytes) -> tuple[Reply, dict[str, Tensor]]:
    """The reply in an answer, and what the client keeps.

    Raises `RunError` when the bytes are no answer.
    """
    said, tensors = _unpacked(blob)
    try:
        given = {"run": str(said["run"]), "round": said["round"], "client": str(said["client"])}
        if "error" in said:
            return Reply(**given, error=str(said["error"])), {}
        update = Update(
            client=given["client"],
            arrays=unprefixed("arrays", tensors),
            num_examples=said["num_examples"],
            metrics={str(name): float(value) for name, value in said["metrics"].items()},
            aux=_groups(unprefixed("aux", tensors)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"an answer without {error}") from error
    return Reply(**given, update=update), unprefixed("kept", tensors)


def _groups(tensors: Arrays) -> dict[str, dict[str, Tensor]]:
    found: dict[str, dict[str, Tensor]] = {}
    for path, value in tensors.items():
        group, _, key = path.partition("/")
        found.setdefault(group, {})[key] = value
    return found


def _packed(head: Mapping[str, Any], tensors: Arrays) -> bytes:
    text = json.dumps(head).encode()
    plain = {name: value.contiguous() for name, value in tensors.items()}
    blob: bytes = safetensors.torch.save(plain)
    return _LENGTH.pack(len(text)) + text + blob


def _unpacked(blob: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        (length,) = _LENGTH.unpack_from(blob)
        start = _LENGTH.size + length
        head = json.loads(blob[_LENGTH.size : start])
        if not isinstance(head, dict):
            raise ValueError(f"its head is a {type(head).__name__}")
        return head, safetensors.torch.load(blob[start:])
    except (struct.error, ValueError, SafetensorError, OverflowError) as error:
        raise RunError(f"{len(blob)} bytes that are no answer: {error}") from error
