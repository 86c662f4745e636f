"""A log-density by one probe is for training: who reports it is told how uncertain it is."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["OneProbe", "warn_of_one_probe"]

_SAMPLES: Final = 16
_PROBES: Final = 8


class OneProbe(UserWarning):
    """Reported log-densities are estimates by a single probe."""


@torch.no_grad()
def warn_of_one_probe(
    flow: Any, x: Float[Tensor, "batch n dim"], settings: Mapping[str, Any]
) -> None:
    """Warns when `settings` of `log_prob` ask for one probe, with the standard error of one log p.

    The error is that of 8 probes on the first 16 samples, times the root of 8. The samples' own
    draws do not change: probes are drawn from a generator of seed 0.
    """
    if settings.get("divergence") != "hutchinson" or settings.get("probes", 1) > 1:
        return
    error = _one_probe_error(flow, x[:_SAMPLES], settings)
    shown = "unknown" if error is None else f"{error:.2f} nats"
    warnings.warn(
        f"log p is by one probe: its standard error for a sample is {shown}, and effective sample "
        "sizes read too low; report divergence='exact', or more probes",
        OneProbe,
        stacklevel=3,
    )


def _one_probe_error(flow: Any, x: Tensor, settings: Mapping[str, Any]) -> float | None:
    """Root mean square over samples; None of a flow that does not give `probe_std`."""
    if not hasattr(flow, "density"):
        return None
    generator = torch.Generator().manual_seed(0)
    found = flow.density(x, **{**settings, "probes": _PROBES, "generator": generator})
    squares = found.probe_std.double().square() * _PROBES
    return math.sqrt(float(squares.mean()))
