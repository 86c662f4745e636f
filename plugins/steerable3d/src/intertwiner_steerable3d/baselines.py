"""Controls without convolutions: a perceptron on counts of atoms, or a linear map of them."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.schema import Schema
from intertwiner_steerable3d.config import CountsConfig
from intertwiner_steerable3d.data.widths import ELEMENT_COUNT, SHELLS
from intertwiner_steerable3d.layers.heads import perceptron
from intertwiner_steerable3d.model import columns_of

__all__ = ["CountsModel", "build_counts"]

FEATURES = {
    "shells": slice(0, 2 * ELEMENT_COUNT * SHELLS),
    "cells": slice(2 * ELEMENT_COUNT * SHELLS, None),
    "both": slice(None),
}


class CountsModel(nn.Module):
    """Logits from standardised counts. `prepare` finds their means and deviations."""

    def __init__(self, config: CountsConfig, schema: Schema) -> None:
        super().__init__()
        (self.target,) = (field.name for field in schema.targets)
        (counts,) = (field for field in schema.inputs if field.name == "counts")
        self.chosen = FEATURES[config.features]
        width = len(range(counts.rep.width)[self.chosen])
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        widths = (width, *config.hidden, columns_of(schema.targets[0]))
        self.network = nn.Sequential(
            nn.Dropout(config.input_dropout), perceptron(widths, dropout=config.dropout)
        )

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Logits [records, classes] by the target's name."""
        return {self.target: self.network((self._rows(batch) - self.mean) / self.deviation)}

    def _rows(self, batch: Batch) -> Float[Tensor, "records width"]:
        rows: Tensor = batch.counts[:, self.chosen]
        return rows

    @torch.no_grad()
    def prepare(self, batches: Iterable[Batch]) -> None:
        """Means and deviations over the training records; rare counts are not blown up."""
        total, square, count = 0.0 * self.mean, 0.0 * self.mean, 0
        for batch in batches:
            rows = self._rows(batch)
            total += rows.sum(0)
            square += rows.square().sum(0)
            count += len(rows)
        if count:
            self.mean.copy_(total / count)
            variance = (square / count - self.mean.square()).clamp(min=0)
            self.deviation.copy_(variance.sqrt().clamp(min=0.05))


def build_counts(config: CountsConfig, schema: Schema) -> CountsModel:
    """The control for a schema with the field `counts` and one target."""
    return CountsModel(config, schema)
