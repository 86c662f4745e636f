"""Bytes in Flower's messages. Nothing here imports torch: clients' apps must start quickly."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["blob_of", "record_of"]

KEY: Final = "work"


def record_of(blob: bytes) -> Any:
    """A record that carries `blob` as one array, which Flower sends in pieces."""
    from flwr.app import Array, ArrayRecord, RecordDict

    array = Array(dtype="uint8", shape=(len(blob),), stype="bytes", data=blob)
    return RecordDict({KEY: ArrayRecord({KEY: array})})


def blob_of(record: Any) -> bytes:
    """The bytes in a record. Raises `KeyError` where there are none."""
    found: bytes = record[KEY][KEY].data
    return found
