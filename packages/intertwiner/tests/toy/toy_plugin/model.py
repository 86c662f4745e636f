from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.schema import Schema
from toy_plugin.config import NetConfig


def _mean(values: Tensor, batch: Batch) -> Tensor:
    sums = values.new_zeros(batch.num_graphs, *values.shape[1:]).index_add(0, batch.batch, values)
    return sums / (batch.ptr[1:] - batch.ptr[:-1]).clamp(min=1).view(-1, *[1] * (values.dim() - 1))


class DistanceNet(nn.Module):
    """y = mean_i MLP(|x_i - centre|^2) * scale."""

    def __init__(self, config: NetConfig, schema: Schema) -> None:
        super().__init__()
        self.schema = schema
        self.network = nn.Sequential(
            nn.Linear(1, config.channels),
            nn.Tanh(),
            nn.Dropout(config.dropout),
            nn.Linear(config.channels, sum(field.rep.width for field in schema.targets)),
        )
        self.register_buffer("scale", torch.ones(()))
        self.steps = 0
        if "TOY_PIDS" in os.environ:
            rank = os.environ.get("LOCAL_RANK", "0")
            (Path(os.environ["TOY_PIDS"]) / f"rank-{rank}").write_text(str(os.getpid()))

    def prepare(self, batches: Iterable[Batch]) -> None:
        name = self.schema.targets[0].name
        labels = torch.cat([batch[name].reshape(-1) for batch in batches])
        self.scale.fill_(float(labels.abs().mean()))

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        self._maybe_stop()
        centred = batch.pos - _mean(batch.pos, batch)[batch.batch]
        squares = centred.square().sum(dim=1, keepdim=True)
        out = _mean(self.network(squares * (1 + 0.1 * batch.z[:, None])), batch) * self.scale
        pieces = out.split([field.rep.width for field in self.schema.targets], dim=1)
        return {
            field.name: piece.squeeze(1) if field.rep.width == 1 else piece
            for field, piece in zip(self.schema.targets, pieces, strict=True)
        }

    def _maybe_stop(self) -> None:
        """In tests: a SIGTERM to this process in the step that TOY_STOP_AT names (from a start)."""
        self.steps += self.training
        if os.environ.get("LOCAL_RANK", "0") == "0" and os.environ.get("TOY_STOP_AT") == str(
            self.steps
        ):
            os.kill(os.getpid(), signal.SIGTERM)


def lift_first_version(
    tensors: dict[str, Tensor], settings: dict[str, Any]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Version 1 had `width` for `channels` and no scale."""
    settings = {("channels" if key == "width" else key): value for key, value in settings.items()}
    return {**tensors, "scale": torch.ones(())}, settings
