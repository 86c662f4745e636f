"""Weights under the names of the released code, as names of the modules here."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

__all__ = ["from_published"]

_PARTS = {"edge_mlp": "edge", "node_mlp": "node", "coord_mlp": "coord", "att_mlp.0": "attention"}
_LAYER = re.compile(r"gcl_(\d+)\.")


def from_published(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict for `EgnnVelocity` or `JointVelocity` from one of the released dynamics.

    Names may begin with anything up to "egnn."; tensors are the same.
    """
    return {_name(name): tensor for name, tensor in weights.items()}


def _name(published: str) -> str:
    name = published.rpartition("egnn.")[2]
    name = _LAYER.sub(r"stack.layers.\1.", name)
    for theirs, ours in _PARTS.items():
        name = name.replace(theirs, ours)
    return name
