"""An expanded kernel that is kept while nothing it depends on changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["KernelCache"]

Kernel = tuple[Tensor, Tensor | None]


class KernelCache:
    """The last kernel and bias of a layer; never copied, pickled or part of a `state_dict`.

    It is made anew when one of the tensors it depends on was written to, replaced, moved or cast.
    Writing through `tensor.data` is not seen: call `train()` and `eval()`, or `clear()`, after it.
    """

    def __init__(self) -> None:
        self._kept: tuple[tuple[Any, ...], Kernel] | None = None

    def clear(self) -> None:
        """Forgets the kernel."""
        self._kept = None

    def get(self, sources: Sequence[Tensor], make: Callable[[], Kernel]) -> Kernel:
        """The kept kernel where it still holds, else what `make` gives, without gradients."""
        if any(source.is_inference() for source in sources):
            return make()
        key = tuple((id(s), s.data_ptr(), s._version, s.dtype, s.device) for s in sources)
        kept = self._kept
        if kept is None or kept[0] != key:
            with torch.inference_mode(False), torch.no_grad():
                kept = self._kept = (key, make())
        return kept[1]

    def __deepcopy__(self, memo: object) -> KernelCache:
        """A copied layer makes its own."""
        return KernelCache()

    def __reduce__(self) -> tuple[type[KernelCache], tuple[()]]:
        """A stored layer makes its own."""
        return KernelCache, ()
