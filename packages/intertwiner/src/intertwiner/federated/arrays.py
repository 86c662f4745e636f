"""What of a model is sent: parameters and running statistics; all else must stay as it is."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import torch
from torch import Tensor, nn

from intertwiner.errors import ConfigError
from intertwiner.federated.updates import Arrays

__all__ = ["Kind", "averaged", "kinds_of", "load_arrays"]


class Kind(StrEnum):
    """What happens to a tensor of the model when clients are joined.

    averaged: sent to the aggregator. counter: the largest of the clients' stands.
    constant: a table such as Clebsch-Gordan coefficients: a client that changes it is refused.
    """

    AVERAGED = "averaged"
    COUNTER = "counter"
    CONSTANT = "constant"


def kinds_of(model: nn.Module) -> dict[str, Kind]:
    """The kind of every tensor in the state of `model`.

    Parameters and the running means and variances of normalisation layers are averaged; whole
    numbers of such layers are counters; all other buffers are constant. A module may name further
    buffers to be averaged in `averaged_buffers`. Raises `ConfigError` for a tensor that cannot be
    sent: sparse, quantised or complex.
    """
    trained = {name for name, _ in model.named_parameters()}
    running: dict[str, Kind] = {}
    for prefix, module in model.named_modules():
        own = getattr(module, "averaged_buffers", ())
        normalises = isinstance(module, nn.modules.batchnorm._NormBase)
        for name, buffer in module.named_buffers(recurse=False):
            if normalises or name in own:
                kind = Kind.AVERAGED if buffer.is_floating_point() else Kind.COUNTER
                running[f"{prefix}.{name}".lstrip(".")] = kind
    found = {}
    for name, tensor in model.state_dict().items():
        _check_sendable(name, tensor)
        found[name] = Kind.AVERAGED if name in trained else running.get(name, Kind.CONSTANT)
    return found


def _check_sendable(name: str, tensor: object) -> None:
    if not isinstance(tensor, Tensor) or tensor.layout != torch.strided:
        raise ConfigError(f"{name}: only dense tensors can be federated, this is {type(tensor)}")
    if tensor.is_complex() or tensor.is_quantized:
        raise ConfigError(f"{name}: a tensor of {tensor.dtype} cannot be federated")


def averaged(arrays: Arrays, kinds: Mapping[str, Kind]) -> dict[str, Tensor]:
    """The arrays that an aggregator sees."""
    return {name: arrays[name] for name, kind in kinds.items() if kind == Kind.AVERAGED}


def load_arrays(model: nn.Module, arrays: Arrays) -> None:
    """Puts a copy of all arrays into the model."""
    model.load_state_dict(dict(arrays), strict=True)
