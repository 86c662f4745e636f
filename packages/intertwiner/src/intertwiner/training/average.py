"""An exponential moving average of a model's weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

__all__ = ["averaged"]


def averaged(model: nn.Module, decay: float) -> AveragedModel | None:
    """A copy of `model` that follows it: w <- d_n w + (1 - d_n) w_model; None for decay 0.

    d_n = min(decay, (1 + n) / (10 + n)) after n updates, so that the first steps are forgotten
    early. Buffers are copied as they are.
    """
    if decay == 0:
        return None

    def update(average: Sequence[Tensor], current: Sequence[Tensor], count: Tensor | int) -> None:
        steps = float(count)
        weight = 1.0 - min(decay, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(list(average), list(current), weight)

    return AveragedModel(model, multi_avg_fn=update)
