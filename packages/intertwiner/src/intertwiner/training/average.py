"""An exponential moving average of a model's weights."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

__all__ = ["AverageModel", "averaged"]


class AverageModel(nn.Module):
    """A copy of `model` that follows it: w <- d_n w + (1 - d_n) w_model; buffers are copied.

    d_n = min(decay, (1 + n) / (10 + n)) after n updates, so that the first steps are forgotten
    early. The lists of tensors are made once: walking a module costs more than the arithmetic.
    """

    updates: Tensor

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__()
        self.module = copy.deepcopy(model).requires_grad_(False)
        self.decay = decay
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))
        self._own: list[Tensor] = [*self.module.parameters()]
        self._followed: list[Tensor] = [*model.parameters()]
        self._own_buffers: list[Tensor] = [*self.module.buffers()]
        self._followed_buffers: list[Tensor] = [*model.buffers()]

    @torch.no_grad()
    def update(self) -> None:
        """Follows the model by one step."""
        steps = int(self.updates)
        weight = 1.0 - min(self.decay, (1 + steps) / (10 + steps)) if steps else 1.0
        torch._foreach_lerp_(self._own, self._followed, weight)
        if self._own_buffers:
            torch._foreach_copy_(self._own_buffers, self._followed_buffers)
        self.updates += 1


def averaged(model: nn.Module, decay: float) -> AverageModel | None:
    """The average of `model`'s weights; None for decay 0."""
    return AverageModel(model, decay) if decay else None
