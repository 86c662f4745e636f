"""From a row of numbers per molecule to one tensor per target, and the scales of the targets."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.errors import ConfigError
from intertwiner.fields import GRAPH, Field, Label
from intertwiner.schema import Schema

__all__ = ["Columns"]


class Columns(nn.Module):
    """Divides the columns of a network among the targets of a schema.

    A scalar of width w takes w columns, a label of two classes one (its logit against 0), a label
    of more classes one each. With `standardise`, `prepare` sets offset and scale of scalars to
    mean and standard deviation of the training labels.
    """

    offset: Tensor
    scale: Tensor

    def __init__(self, schema: Schema, *, standardise: bool) -> None:
        super().__init__()
        for field in schema.targets:
            if field.site != GRAPH:
                raise ConfigError(f"target {field}: these networks learn of whole molecules only")
        self.fields = schema.targets
        self.widths = [_width(field) for field in schema.targets]
        self.standardise = standardise
        self.register_buffer("offset", torch.zeros(sum(self.widths)))
        self.register_buffer("scale", torch.ones(sum(self.widths)))

    @property
    def total(self) -> int:
        return sum(self.widths)

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Offset and scale from all training batches, missing labels left out."""
        if not self.standardise:
            return
        given = list(batches)
        first = 0
        for field, width in zip(self.fields, self.widths, strict=True):
            if not isinstance(field.rep, Label):
                values = torch.cat([batch[field.name].double().view(-1, width) for batch in given])
                for column in range(width):
                    known = values[:, column][values[:, column].isfinite()]
                    self.offset[first + column] = known.mean() if len(known) else 0.0
                    self.scale[first + column] = _scale(known)
            first += width

    def forward(self, columns: Float[Tensor, "graphs columns"]) -> dict[str, Tensor]:
        """One tensor per target, in its unit; of a label, scores per class."""
        parts = torch.split(columns * self.scale + self.offset, self.widths, 1)
        return {
            field.name: _shaped(field, part) for field, part in zip(self.fields, parts, strict=True)
        }


def _width(field: Field) -> int:
    if not isinstance(field.rep, Label):
        return field.rep.width
    if field.rep.classes is None:
        raise ConfigError(f"target {field}: how many classes it has must be declared")
    return 1 if field.rep.classes == 2 else field.rep.classes


def _shaped(field: Field, part: Float[Tensor, "graphs width"]) -> Tensor:
    if isinstance(field.rep, Label):
        logits = torch.cat([torch.zeros_like(part), part], 1)
        return logits if field.rep.classes == 2 else part
    return part.squeeze(1) if field.rep.width == 1 else part


def _scale(known: Float[Tensor, " labels"]) -> float:
    return float(known.std(correction=0)) or 1.0 if len(known) else 1.0
