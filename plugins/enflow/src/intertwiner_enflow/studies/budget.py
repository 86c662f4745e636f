"""A short training loop on tensors that ends when its processor time is spent.

The schedule follows the time spent, so that every budget ends with a small rate. The same seed
gives the same batches, but how many fit in the budget depends on the machine.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner.errors import RunError
from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.flow import Flow
from intertwiner_enflow.losses.flow_matching import flow_matching_loss
from intertwiner_enflow.losses.likelihood import LikelihoodSettings, negative_log_likelihood
from intertwiner_enflow.studies.settings import BudgetSettings
from intertwiner_enflow.targets.base import centred

__all__ = ["Trained", "train_within"]

Loss = Callable[[Float[Tensor, "batch n dim"]], Float[Tensor, ""]]
_WARM_UP = 100


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A flow with its averaged weights, and what it took."""

    flow: Flow
    matching_steps: int
    likelihood_steps: int
    seconds: float


def train_within(
    seconds: float,
    x: Float[Tensor, "samples n dim"],
    settings: BudgetSettings,
    seed: int,
    start: Mapping[str, Tensor] | None = None,
) -> Trained:
    """Trains a flow on `x` for so many seconds of processor time.

    start: weights of a flow to go on from, its schedule begun anew; a fresh flow without.
    Raises `RunError` naming the step when the loss is not finite.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        dynamics = EgnnVelocity(x.shape[2], settings.layers, settings.features)
    flow = Flow(dynamics, x.shape[1])
    if settings.scaled:
        flow.set_scale(x)
    if start is not None:
        flow.load_state_dict(start)
    x = centred(x)
    generator = torch.Generator().manual_seed(seed)
    started = time.process_time()
    average = _Average(dynamics, settings.average_decay)
    matching = (1.0 - settings.fine_tune_share) * seconds
    likelihood = LikelihoodSettings(divergence=settings.divergence, steps=settings.steps)
    matched = tuned = 0
    if matching > 0:
        matched = _stage(
            flow,
            lambda batch: flow_matching_loss(dynamics, batch / flow.scale, generator=generator),
            _batches(x, settings.batch_size, generator),
            (settings.learning_rate, matching),
            settings,
            average,
        )
        average.apply(dynamics)
    rest = seconds - (time.process_time() - started)
    if settings.fine_tune_share > 0 and rest > 0:
        average = _Average(dynamics, settings.fine_tune_average)
        tuned = _stage(
            flow,
            lambda batch: negative_log_likelihood(flow, batch, likelihood, generator),
            _batches(x, settings.fine_tune_batch, generator),
            (settings.fine_tune_rate, rest),
            settings,
            average,
        )
        average.apply(dynamics)
    return Trained(flow, matched, tuned, time.process_time() - started)


def _stage(
    flow: Flow,
    loss_of: Loss,
    batches: Iterator[Tensor],
    rate_and_seconds: tuple[float, float],
    settings: BudgetSettings,
    average: _Average,
) -> int:
    """Steps until the time is spent; their number."""
    rate, seconds = rate_and_seconds
    parameters = [p for p in flow.parameters() if p.requires_grad]
    optimizer = _optimizer(parameters, rate, published=settings.published)
    started, step = time.process_time(), 0
    while (share := (time.process_time() - started) / seconds) < 1.0:
        if not settings.published:
            scheduled = rate * _schedule(share, settings.final_share)
            for group in optimizer.param_groups:
                group["lr"] = scheduled * min(1.0, (step + 1) / _WARM_UP)
        loss = loss_of(next(batches))
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(parameters, settings.gradient_clip)
        if not bool(torch.isfinite(loss) & torch.isfinite(norm)):
            raise RunError(
                f"step {step + 1}: the loss is {float(loss.detach())}, its gradient {float(norm)}; "
                f"lower the learning rate {rate:g}"
            )
        optimizer.step()
        average.update()
        step += 1
    return step


def _schedule(share: float, final: float) -> float:
    return final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * share))


def _optimizer(
    parameters: list[nn.Parameter], rate: float, *, published: bool
) -> torch.optim.Optimizer:
    if published:
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=1e-12, amsgrad=True)
    return torch.optim.Adam(parameters, lr=rate, fused=True)


def _batches(x: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Batches without end, every sample once in an epoch; the last ones of it are left out."""
    size = min(size, len(x))
    while True:
        order = torch.randperm(len(x), generator=generator)
        for start in range(0, len(x) - size + 1, size):
            yield x[order[start : start + size]]


class _Average:
    """A moving average of a module's weights that can take their place."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self._own: list[Tensor] = list(module.parameters())
        self._mean = [own.detach().clone() for own in self._own]
        self._steps = 0

    @torch.no_grad()
    def update(self) -> None:
        decay = min(self.decay, (1 + self._steps) / (10 + self._steps)) if self.decay else 0.0
        torch._foreach_lerp_(self._mean, self._own, 1.0 - decay)
        self._steps += 1

    @torch.no_grad()
    def apply(self, module: nn.Module) -> None:
        for parameter, mean in zip(module.parameters(), self._mean, strict=True):
            parameter.copy_(mean)
