"""Nonlinearities by name."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from intertwiner_gauge_mesh.config import Nonlinearity
from intertwiner_gauge_mesh.layers.gate import Gate
from intertwiner_gauge_mesh.layers.product import Product
from intertwiner_gauge_mesh.layers.sampled import SampledNonlinearity
from intertwiner_gauge_mesh.types import TypeLike

__all__ = ["make_nonlinearity"]


def make_nonlinearity(
    name: Nonlinearity,
    kind: TypeLike,
    *,
    samples: int = 0,
    scaling: Literal["unit", "released"] = "unit",
    quiet: bool = False,
    generator: torch.Generator | None = None,
) -> nn.Module:
    """A map of features of one type to the same type, vertex by vertex.

    samples, scaling, quiet: of those that sample on a circle, see `SampledNonlinearity`.
    """
    if name == "product":
        return Product(kind, generator)
    if name == "gate":
        return Gate(kind)
    return SampledNonlinearity(kind, name, samples, scaling=scaling, quiet=quiet)
