"""Memory for large results, kept for the next one as CUDA's allocator does.

A fresh tensor of 80 MB costs 20,000 page faults, which take longer than computing it: the system
clears its memory anew at every step of a training. So blocks of at least `LARGE` bytes are mapped
here, on large pages where the system offers them, and lent to tensors; one that no tensor uses any
more is lent again. At most `KEPT` bytes wait unused.
"""

from __future__ import annotations

import math
import mmap
import threading
import weakref

import torch
from torch import Tensor

__all__ = ["KEPT", "LARGE", "empty"]

LARGE = 1 << 22
KEPT = 1 << 28
PAGE = 1 << 21
WASTE = 1.25

_lock = threading.RLock()
_free: list[mmap.mmap] = []


def empty(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """A tensor of `shape` with the dtype of `like`, not initialised, in the processor's memory."""
    size = math.prod(shape) * like.element_size()
    if size < LARGE:
        return torch.empty(shape, dtype=like.dtype)
    block = _take(size)
    lent = memoryview(block)
    weakref.finalize(lent, _give_back, block).atexit = False
    return torch.frombuffer(lent, dtype=like.dtype, count=math.prod(shape)).view(shape)


def _take(size: int) -> mmap.mmap:
    """The smallest waiting block that fits without much waste, else a new one."""
    with _lock:
        fitting = [block for block in _free if size <= len(block) <= WASTE * size + PAGE]
        if fitting:
            block = min(reversed(fitting), key=len)  # the one last used
            _free.remove(block)
            return block
    length = -(-size // PAGE) * PAGE
    if not hasattr(mmap, "MAP_PRIVATE"):
        return mmap.mmap(-1, length)
    block = mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        block.madvise(mmap.MADV_HUGEPAGE)
    return block


def _give_back(block: mmap.mmap) -> None:
    with _lock:
        _free.append(block)
        while sum(map(len, _free)) > KEPT:
            del _free[0]  # the longest unused
