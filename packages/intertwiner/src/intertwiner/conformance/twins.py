"""Broken twins: the model under test with one small fault, which the check of it must find.

A check that its broken twin passes would pass anything, and says nothing about the model.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.conformance.structures import StructureKit
from intertwiner.schema import Schema

__all__ = ["FAULTS", "BrokenTwin"]

Outputs = dict[str, Tensor]
_serial = itertools.count(1)


class BrokenTwin(nn.Module):
    """`model` with the fault named `fault`: one of the structure's asymmetries or of `FAULTS`.

    size: relative size of an asymmetry's term.
    """

    def __init__(
        self, model: nn.Module, fault: str, kit: StructureKit, schema: Schema, size: float
    ) -> None:
        super().__init__()
        self.model = model
        self.fault = fault
        self.kit = kit
        self.schema = schema
        self.size = size
        self.serial = next(_serial)
        self.calls = 0
        if fault == "unused parameter":
            self.unused = nn.Parameter(torch.ones(1))

    def forward(self, batch: Batch) -> Outputs:
        outputs: Outputs = self.model(batch)
        self.calls += 1
        if self.fault in FAULTS:
            return {name: FAULTS[self.fault](self, value) for name, value in outputs.items()}
        return self._skewed(batch, outputs)

    def training_loss(self, batch: Batch) -> Tensor:
        """The model's own loss, where it has one, with a fault that acts on any number."""
        loss: Tensor = self.model.training_loss(batch)  # type: ignore[operator]
        return FAULTS.get(self.fault, _same)(self, loss)

    def _skewed(self, batch: Batch, outputs: Outputs) -> Outputs:
        """Every output times 1 + size q, where q is the asymmetry of the item's record."""
        asymmetry = self.kit.asymmetries[self.fault](batch)
        skewed = {}
        for target in self.schema.targets:
            value = outputs[target.name]
            rows = asymmetry[self.kit.owner(batch, target.site)].to(value.dtype)
            skewed[target.name] = value * (1 + self.size * rows.view(-1, *[1] * (value.dim() - 1)))
        return skewed


def _constant(twin: Any, value: Tensor) -> Tensor:
    return value * 0 + 1


def _forgetful(twin: Any, value: Tensor) -> Tensor:
    return value * (1 + 1e-3 * twin.calls)


def _unsaved(twin: Any, value: Tensor) -> Tensor:
    return value * (1 + 1e-3 * twin.serial)


def _narrow(twin: Any, value: Tensor) -> Tensor:
    return value.to(torch.float32)


def _same(twin: Any, value: Tensor) -> Tensor:
    return value


def _singular(twin: Any, value: Tensor) -> Tensor:
    """Adds the square root of zero: the value stays, the gradient is infinite times zero."""
    return value + (value * 0).abs().sum().sqrt()


FAULTS: Final[Mapping[str, Callable[[Any, Tensor], Tensor]]] = {
    "constant": _constant,
    "counts its calls": _forgetful,
    "state outside the checkpoint": _unsaved,
    "always float32": _narrow,
    "unused parameter": _same,
    "square root of zero": _singular,
}
