"""One pass of a frozen model over all records of a client, once in a round."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.data.batches import Batches
from intertwiner.federated.client import ClientContext
from intertwiner.training.environment import to_precision

__all__ = ["sweep"]

SIZE = 256


def sweep(
    context: ClientContext, measure: Callable[[Batch], tuple[Tensor, ...]]
) -> tuple[Tensor, ...]:
    """What `measure` gives for batches of all records in their order, joined.

    The model is in evaluation: nothing is dropped, no statistics move.
    """
    device = next(context.model.parameters()).device
    double = next(context.model.parameters()).dtype == torch.float64
    parts: list[tuple[Tensor, ...]] = []
    with evaluated(context.model), torch.no_grad():
        for batch in Batches(context.records, SIZE, shuffle=False).epoch():
            moved = to_precision(batch.to(device), "64-true" if double else "32-true")
            parts.append(measure(moved))
    return tuple(torch.cat(column) for column in zip(*parts, strict=True))


@contextmanager
def evaluated(model: nn.Module) -> Iterator[None]:
    """The model in evaluation for a while."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
