"""What an adversary may perturb: features that a model embeds, or positions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.errors import ConfigError
from intertwiner.fields import Point
from intertwiner.schema import Schema

__all__ = ["Inputs", "inputs_of"]


class Inputs(Protocol):
    """Continuous inputs of a model. epsilon: length of a perturbation of one row."""

    epsilon: float

    def rows(self, batch: Batch) -> tuple[Tensor, ...]:
        """The inputs, each [rows, channels], detached."""
        ...

    def outputs(self, rows: tuple[Tensor, ...], batch: Batch) -> Mapping[str, Tensor]:
        """The model's predictions from inputs like those of `rows`."""
        ...


class Features:
    """Of a model with `embed(batch)` and `forward_from(*embedded, batch)`."""

    epsilon = 2.5

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def rows(self, batch: Batch) -> tuple[Tensor, ...]:
        return tuple(rows.detach() for rows in self.model.embed(batch))  # type: ignore[operator]

    def outputs(self, rows: tuple[Tensor, ...], batch: Batch) -> Mapping[str, Tensor]:
        found: Mapping[str, Tensor] = self.model.forward_from(*rows, batch)  # type: ignore[operator]
        return found


class Positions:
    """Of a model that reads positions: every atom is moved, in the unit of the data."""

    epsilon = 0.05

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def rows(self, batch: Batch) -> tuple[Tensor, ...]:
        return (batch.pos.detach(),)

    def outputs(self, rows: tuple[Tensor, ...], batch: Batch) -> Mapping[str, Tensor]:
        moved = batch.clone()
        (moved.pos,) = rows
        found: Mapping[str, Tensor] = self.model(moved)
        return found


def inputs_of(model: nn.Module, schema: Schema) -> Inputs:
    """The continuous inputs of `model`. Raises `ConfigError` where it has none."""
    if hasattr(model, "embed") and hasattr(model, "forward_from"):
        return Features(model)
    if any(isinstance(field.rep, Point) and field.name == "pos" for field in schema.inputs):
        return Positions(model)
    raise ConfigError(
        f"{type(model).__name__} declares no perturbable input (embed(batch) with "
        "forward_from(*embedded, batch), or positions); use flit"
    )


def detached(predictions: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The predictions as constants."""
    return {name: value.detach() for name, value in predictions.items()}


def unit_rows(rows: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Every row at unit length; a row far shorter than 1e-8 stays short."""
    return tuple(row / (torch.linalg.vector_norm(row, dim=1, keepdim=True) + 1e-8) for row in rows)
