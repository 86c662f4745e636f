"""What of a model is sent: parameters and running statistics; all else must stay as it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.errors import ConfigError
from intertwiner.federated.updates import Arrays

__all__ = ["Kind", "averaged", "copied", "kinds_of", "load_arrays", "moved_buffers"]


class Kind(StrEnum):
    """What happens to a tensor of the model when clients are joined.

    averaged: sent to the aggregator. counter: the largest of the clients' stands.
    constant: a table such as Clebsch-Gordan coefficients: a client that changes it is refused.
    """

    AVERAGED = "averaged"
    COUNTER = "counter"
    CONSTANT = "constant"


def kinds_of(model: nn.Module, moved: Collection[str] = ()) -> dict[str, Kind]:
    """The kind of every tensor in the state of `model`.

    Parameters, the running means and variances of normalisation layers, and buffers that a module
    names in its `averaged_buffers` are averaged. Whole numbers of such layers, and single whole
    numbers anywhere, are counters. All other buffers are constant.

    moved: names of buffers that were seen to change in training: averaged, or counters where they
    are whole numbers. Raises `ConfigError` for a tensor that cannot be sent: sparse, quantised or
    complex.
    """
    trained = {name for name, _ in model.named_parameters()}
    running: dict[str, Kind] = {}
    for prefix, module in model.named_modules():
        own = getattr(module, "averaged_buffers", ())
        normalises = isinstance(module, nn.modules.batchnorm._NormBase)
        for name, buffer in module.named_buffers(recurse=False):
            path, whole = f"{prefix}.{name}".lstrip("."), not buffer.is_floating_point()
            if normalises or name in own or path in moved or (whole and buffer.dim() == 0):
                running[path] = Kind.COUNTER if whole else Kind.AVERAGED
    found = {}
    for name, tensor in model.state_dict().items():
        _check_sendable(name, tensor)
        found[name] = Kind.AVERAGED if name in trained else running.get(name, Kind.CONSTANT)
    return found


def moved_buffers(model: nn.Module, loss_of: Callable[[Batch], Tensor], batch: Batch) -> set[str]:
    """Names of buffers that change when the loss of one batch is computed in training; the model
    is left as it was.
    """
    before = copied(model.state_dict())
    was_training = model.training
    with torch.random.fork_rng(devices=[]):
        model.train()
        loss_of(batch)
    after = copied(model.state_dict())
    moved = {name for name, value in before.items() if not torch.equal(value, after[name])}
    load_arrays(model, before)
    model.train(was_training)
    return moved


def _check_sendable(name: str, tensor: object) -> None:
    if not isinstance(tensor, Tensor) or tensor.layout != torch.strided:
        raise ConfigError(f"{name}: only dense tensors can be federated, this is {type(tensor)}")
    if tensor.is_complex() or tensor.is_quantized:
        raise ConfigError(f"{name}: a tensor of {tensor.dtype} cannot be federated")


def averaged(arrays: Arrays, kinds: Mapping[str, Kind]) -> dict[str, Tensor]:
    """The arrays that an aggregator sees."""
    return {name: arrays[name] for name, kind in kinds.items() if kind == Kind.AVERAGED}


def copied(arrays: Arrays) -> dict[str, Tensor]:
    """The arrays on the CPU, as tensors that nobody else changes."""
    return {name: value.detach().to("cpu", copy=True) for name, value in arrays.items()}


def load_arrays(model: nn.Module, arrays: Arrays) -> None:
    """Puts a copy of all arrays into the model."""
    model.load_state_dict(dict(arrays), strict=True)
