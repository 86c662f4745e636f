"""Feature types: how many numbers of every rotation order a vertex carries, and their layout.

"16x0+16x1+8x2" is 16 scalars, 16 tangent vectors and 8 fields of order 2. Order 0 is one real
number; order n >= 1 is a complex number z = a + ib that turns by e^{-i n g} when the frame turns
by g. A vertex has one row: order after order, and in each all real parts, then all imaginary
parts ("order-major, channels last"). Nothing here imports torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from intertwiner_gauge_mesh.errors import InvalidSetting

__all__ = ["Block", "FeatureType", "TypeLike"]

_TERM = re.compile(r"\s*(?:(\d+)\s*x)?\s*(\d+)\s*")


@dataclass(frozen=True, slots=True)
class Block:
    """One order in a row: components start:stop, of which the first `count` are real parts."""

    order: int
    count: int
    start: int
    stop: int

    @property
    def real(self) -> slice:
        return slice(self.start, self.start + self.count)

    @property
    def imaginary(self) -> slice:
        """Empty for order 0."""
        return slice(self.start + self.count, self.stop)


@dataclass(frozen=True, slots=True)
class FeatureType:
    """Multiplicities (c_0, ..., c_L) of the orders; the last one is positive, or L is 0."""

    multiplicities: tuple[int, ...]

    def __post_init__(self) -> None:
        counts = self.multiplicities
        if not counts or min(counts) < 0:
            raise InvalidSetting(f"feature type {counts}: multiplicities must be 0 or more")
        if len(counts) > 1 and counts[-1] == 0:
            raise InvalidSetting(f"feature type {counts}: the highest order must have channels")

    @classmethod
    def parse(cls, given: TypeLike) -> FeatureType:
        """From "16x0+16x1", a sequence of multiplicities, or a feature type.

        Raises `InvalidSetting` for text that does not read so, or an order named twice.
        """
        if isinstance(given, FeatureType):
            return given
        if not isinstance(given, str):
            return cls(_trimmed(list(given)))
        counts: dict[int, int] = {}
        for term in given.split("+"):
            match = _TERM.fullmatch(term)
            if match is None or int(match[2]) in counts:
                raise InvalidSetting(
                    f"feature type {given!r}: cannot read {term.strip()!r}; write each order "
                    "once, as in '16x0+16x1+8x2' (multiplicity x order)"
                )
            counts[int(match[2])] = int(match[1] or 1)
        return cls(_trimmed([counts.get(order, 0) for order in range(max(counts) + 1)]))

    @classmethod
    def uniform(cls, channels: int, order: int) -> FeatureType:
        """`channels` of every order from 0 to `order`."""
        return cls((channels,) * (order + 1))

    @property
    def order(self) -> int:
        """The highest order L."""
        return len(self.multiplicities) - 1

    @property
    def width(self) -> int:
        """Numbers per vertex."""
        return sum(block.stop - block.start for block in self.blocks)

    @property
    def scalars(self) -> int:
        return self.multiplicities[0]

    @property
    def channels(self) -> int:
        """Channels of all orders together."""
        return sum(self.multiplicities)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """One block for every order, empty ones included."""
        found, start = [], 0
        for order, count in enumerate(self.multiplicities):
            stop = start + count * (1 if order == 0 else 2)
            found.append(Block(order, count, start, stop))
            start = stop
        return tuple(found)

    def truncated(self, order: int) -> FeatureType:
        """The orders up to `order`."""
        return FeatureType(_trimmed(list(self.multiplicities[: order + 1])))

    def __str__(self) -> str:
        terms = [f"{count}x{order}" for order, count in enumerate(self.multiplicities) if count]
        return "+".join(terms) or "0x0"


TypeLike = FeatureType | str | tuple[int, ...] | list[int]


def _trimmed(counts: list[int]) -> tuple[int, ...]:
    while len(counts) > 1 and counts[-1] == 0:
        counts.pop()
    return tuple(counts)
