"""Field types: how many fields of each order a stack of channels holds.

A type (m_0, m_1, m_2, ...) has m_l fields of order l, each of 2l + 1 channels. Channels are in the
order l ascending, then copy, then component.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from intertwiner_steerable3d.bases.elements import MAX_ORDER
from intertwiner_steerable3d.errors import InvalidInput, InvalidSetting, WrongType

__all__ = [
    "FieldType",
    "check_type",
    "check_volume",
    "count_channels",
    "count_gates",
    "field_of_channel",
    "orders_of_fields",
    "sections",
]

FieldType = tuple[int, ...]


def check_type(multiplicities: Sequence[int]) -> FieldType:
    """The type, without trailing zeros.

    Raises `InvalidSetting` for a negative entry, an order above 8, or no field at all.
    """
    entries = tuple(int(entry) for entry in multiplicities)
    for order, entry in enumerate(entries):
        if entry < 0:
            raise InvalidSetting(f"field type {entries}: entry {order} is {entry}; use 0 or more")
    while entries and entries[-1] == 0:
        entries = entries[:-1]
    if not entries:
        raise InvalidSetting(f"field type {tuple(multiplicities)} has no fields")
    if len(entries) > MAX_ORDER + 1:
        raise InvalidSetting(f"field type {entries}: entry {len(entries) - 1} is above {MAX_ORDER}")
    return entries


def sections(fields: FieldType) -> list[tuple[int, int, slice]]:
    """(order, multiplicity, channels) for every order that occurs."""
    found, start = [], 0
    for order, count in enumerate(fields):
        if count:
            width = count * (2 * order + 1)
            found.append((order, count, slice(start, start + width)))
            start += width
    return found


def count_channels(fields: FieldType) -> int:
    """Channels of all fields."""
    return sum(count * (2 * order + 1) for order, count in enumerate(fields))


def count_gates(fields: FieldType) -> int:
    """Fields that are no scalars: each has one gate."""
    return sum(fields[1:])


def orders_of_fields(fields: FieldType) -> list[int]:
    """The order of every field."""
    return [order for order, count in enumerate(fields) for _ in range(count)]


def field_of_channel(fields: FieldType) -> Int[Tensor, " channels"]:
    """The number of the field that a channel belongs to."""
    widths = torch.tensor([2 * order + 1 for order in orders_of_fields(fields)])
    return torch.arange(len(widths)).repeat_interleave(widths)


def check_volume(volume: Tensor, channels: int, what: str) -> None:
    """Raises `InvalidInput` for another shape, `WrongType` for a dtype that cannot be used."""
    if volume.dim() != 5 or volume.shape[1] != channels:
        raise InvalidInput(
            f"volume of shape {list(volume.shape)}: {what} takes [batch, {channels}, x, y, z]"
        )
    if not volume.is_floating_point() or (
        volume.dtype == torch.float16 and volume.device.type == "cpu"
    ):
        allowed = "float64, float32 or bfloat16 (float16 on a GPU)"
        raise WrongType(f"volume of {volume.dtype}: use {allowed}")
