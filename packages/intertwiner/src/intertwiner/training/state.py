"""The state of an optimiser and counters as flat named tensors and JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from intertwiner.errors import RunError

__all__ = ["load_optimizer", "optimizer_state", "prefixed", "unprefixed"]


def prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under names that start with `prefix/`."""
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def unprefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names start with `prefix/`, without it."""
    start = f"{prefix}/"
    return {
        name.removeprefix(start): tensor
        for name, tensor in tensors.items()
        if name.startswith(start)
    }


def optimizer_state(optimizer: Optimizer) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """Tensors `{parameter number}/{name}` and the parameter groups as JSON values."""
    state = optimizer.state_dict()
    tensors = {
        f"{number}/{name}": value
        for number, values in state["state"].items()
        for name, value in values.items()
    }
    return tensors, state["param_groups"]


def load_optimizer(
    optimizer: Optimizer, tensors: Mapping[str, Tensor], groups: list[dict[str, Any]]
) -> None:
    """Puts back what `optimizer_state` gave. Raises `RunError` when it does not fit."""
    state: dict[int, dict[str, Tensor]] = {}
    for path, tensor in tensors.items():
        number, name = path.split("/", 1)
        state.setdefault(int(number), {})[name] = tensor
    try:
        optimizer.load_state_dict({"state": state, "param_groups": groups})
    except (ValueError, KeyError) as error:
        raise RunError(f"the saved optimiser does not fit the model: {error}") from error
