"""The least time an operation can take on this machine: its bytes and its arithmetic.

Whatever the implementation, every input is read and every output written once, and the numbers of
the definition are computed. `cost_of` counts both while the plain-torch reference runs: matrix
products and convolutions by their multiply-adds (two operations each), element-wise functions one
for every result, sums one for every term. `Machine` measures what bytes of that working set and
multiply-adds take here; the larger of the two times is the floor. It is a bound for orientation:
an implementation may compute less than the definition does (and then beat it), and functions such
as exp cost more than the one operation they count as.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from intertwiner.benchmark import seconds

__all__ = ["Cost", "Machine", "cost_of"]

SUMS: Final = frozenset(
    {"sum", "mean", "cumsum", "index_add", "index_add_", "scatter_add", "scatter_add_"}
    | {"scatter_reduce", "scatter_reduce_", "segment_reduce", "prod", "amax", "amin"}
)
REPEATS: Final = 7
SMALLEST: Final = 1 << 14
"""Bytes below which starting a copy takes longer than the copy."""

ORDER: Final = 512
"""Rows of the square matrices whose product gives the rate of arithmetic."""


@dataclass(frozen=True, slots=True)
class Cost:
    """bytes: of all inputs and outputs. operations: additions and multiplications, two for both."""

    bytes: int
    operations: int


def cost_of(function: Callable[..., Any], arguments: Sequence[Any]) -> Cost:
    """What `function(*arguments)` reads, writes and computes."""
    counter = _Counter()
    with torch.no_grad(), counter:
        out = function(*arguments)
    moved = {id(tensor): tensor for tensor in [*_tensors(arguments), *_tensors(out)]}
    return Cost(sum(_bytes(tensor) for tensor in moved.values()), counter.operations)


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the operations of what runs inside."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        out = func(*args, **given)
        packet = func.overloadpacket
        if packet in flop_registry:
            self.operations += int(flop_registry[packet](*args, **given, out_val=out))
        elif packet.__name__ in SUMS:
            self.operations += max(_numbers(tensor) for tensor in [*_tensors(args), *_tensors(out)])
        elif torch.Tag.pointwise in func.tags and packet.__name__ not in ("clone", "copy_"):
            self.operations += sum(map(_numbers, _tensors(out)))
        return out


def _numbers(tensor: Tensor) -> int:
    """Floating entries; whole numbers are places, not results."""
    return tensor.numel() if tensor.is_floating_point() or tensor.is_complex() else 0


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _tensors(value: Any) -> Iterable[Tensor]:
    """All tensors in nested sequences, mappings and dataclasses; what objects keep is no input."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
    elif is_dataclass(value):
        for field in fields(value):
            if field.init:
                yield from _tensors(getattr(value, field.name))


class Machine:
    """What this machine does in a second, on one device with the threads torch has now."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._bandwidths: dict[int, float] = {}
        self._rate: float | None = None

    def bandwidth(self, size: int) -> float:
        """Bytes a second, read and written, where about `size` of them are at work."""
        size = 1 << math.ceil(math.log2(max(size, SMALLEST)))
        if size not in self._bandwidths:
            source = torch.zeros(size // 2, dtype=torch.uint8, device=self.device)
            target = torch.zeros_like(source)
            best = _best(lambda: target.copy_(source), size)
            self._bandwidths[size] = size / best
        return self._bandwidths[size]

    @property
    def rate(self) -> float:
        """Operations a second in single precision, of a product of matrices."""
        if self._rate is None:
            square = torch.ones(ORDER, ORDER, device=self.device)
            self._rate = 2 * ORDER**3 / _best(lambda: square @ square, 4 * ORDER**2)
        return self._rate

    def seconds(self, cost: Cost) -> tuple[float, float]:
        """(of the bytes, of the arithmetic): the floor is the larger."""
        return cost.bytes / self.bandwidth(cost.bytes), cost.operations / self.rate


def _best(work: Callable[[], object], size: int) -> float:
    """Least seconds of one run, in batches long enough for the clock."""
    count = max(1, (1 << 24) // max(size, 1))

    def batch() -> None:
        for _ in range(count):
            work()

    batch()
    times = [seconds(batch) / count for _ in range(REPEATS)]
    return statistics.quantiles(times, n=4)[0]
