"""Training steps of DW4: flow matching beside the published maximum likelihood."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from intertwiner.benchmark import Row, compare
from intertwiner_enflow.datasets.excerpt import excerpt
from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.flow import Flow
from intertwiner_enflow.kernels.choice import torch_form
from intertwiner_enflow.losses.flow_matching import flow_matching_loss
from intertwiner_enflow.losses.likelihood import LikelihoodSettings, negative_log_likelihood
from intertwiner_enflow.targets import target_named

BATCH = 100
PUBLISHED = LikelihoodSettings(steps=(0, 0))


def measure(repeats: int) -> Iterator[Row]:
    """Whole steps, with the optimiser's."""
    x = excerpt(target_named("dw4"))[:BATCH].float()
    fast, slow = _flow(), _flow()
    matching = _step(fast, lambda: flow_matching_loss(fast.dynamics, x))
    tuning = _step(fast, lambda: negative_log_likelihood(fast, x))

    def published() -> None:
        with torch_form():
            _step(slow, lambda: negative_log_likelihood(slow, x, PUBLISHED))()

    def in_torch() -> None:
        with torch_form():
            tuning()

    few = max(2, repeats // 2)
    title = "DW4 training step, flow matching"
    against = "likelihood as published"
    yield compare(title, matching, published, against=against, repeats=few, required=50)
    title = "DW4 fine-tuning step, compiled"
    yield compare(title, tuning, in_torch, against="torch", repeats=few)


def _flow() -> Flow:
    torch.manual_seed(0)
    return Flow(EgnnVelocity(2), 4)


def _step(flow: Flow, loss: Callable[[], Tensor]) -> Callable[[], None]:
    parameters = [p for p in flow.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=1e-6, fused=True)

    def run() -> None:
        optimizer.zero_grad()
        loss().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 100.0)
        optimizer.step()

    return run
