"""Which form of the network runs: the compiled program where it can, else dense torch.

`INTERTWINER_KERNELS=reference` and the context `torch_form()` leave dense torch to serve
everywhere: it can be differentiated any number of times, and in forward mode.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from torch import Tensor

from intertwiner.kernels import SETTING, dispatch

__all__ = ["compiled_is_allowed", "pair_terms", "torch_form"]

_torch_form: Final = ContextVar("intertwiner_enflow_torch_form", default=False)


@contextmanager
def torch_form() -> Iterator[None]:
    """Within it, no compiled program is used."""
    token = _torch_form.set(True)
    try:
        yield
    finally:
        _torch_form.reset(token)


def compiled_is_allowed() -> bool:
    """Whether neither the context nor the environment forbids the compiled program."""
    if _torch_form.get():
        return False
    names = [name.strip() for name in os.environ.get(SETTING, "").split(",")]
    return "reference" not in names and "egnn-layers-dense" not in names


def pair_terms(op: str, like: Tensor, dense: Callable[..., Any]) -> Callable[..., Any]:
    """The implementation of `op` for tensors like this one: `dense` on the processor, where the
    whole network is one program, and whatever serves best elsewhere."""
    if like.device.type == "cpu" or _torch_form.get():
        return dense
    return dispatch(op, like.device, like.dtype)
