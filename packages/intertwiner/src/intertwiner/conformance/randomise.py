"""Taking the initialisation out of the test: every parameter is moved off its starting point."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["STRENGTH", "randomise"]

STRENGTH = 0.3


def randomise(module: nn.Module, generator: torch.Generator) -> None:
    """Adds N(0, (0.3 s)^2) to every parameter; buffers stay.

    s is the parameter's root mean square or 1/sqrt(fan in), whichever is larger, so that neither
    zeros nor tiny gains can hide a broken path, and positive scales mostly stay positive.
    """
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.add_((STRENGTH * _scale(parameter) * noise).to(parameter))


def _scale(parameter: Tensor) -> float:
    if parameter.numel() == 0:
        return 0.0
    fan_in = parameter[0].numel() if parameter.dim() > 1 else 1
    size = parameter.detach().double().square().mean().sqrt().item()
    return max(size, max(fan_in, 1) ** -0.5)
