"""Statistics of frozen norms, found once from data before the training begins."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_steerable3d.layers.normalization import FieldBatchNorm

__all__ = ["calibrate", "has_frozen_norms"]


@torch.no_grad()
def calibrate(network: nn.Module, volumes: Iterable[Float[Tensor, "batch c x y z"]]) -> None:
    """Sets the averages of every frozen norm to their means over batches of volumes.

    A batch passes each norm with statistics of its own, so that every layer sees normalised fields
    in the first pass already. Nothing happens in a network without frozen norms.
    """
    norms = _frozen(network)
    if not norms:
        return
    kept = [norm.momentum for norm in norms]
    training = network.training
    network.eval()
    try:
        for number, batch in enumerate(volumes, 1):
            for norm in norms:
                norm.collecting, norm.momentum = True, 1 / number
            network(batch)
    finally:
        network.train(training)
        for norm, momentum in zip(norms, kept, strict=True):
            norm.collecting, norm.momentum = False, momentum


def has_frozen_norms(network: nn.Module) -> bool:
    """Whether `calibrate` has anything to set."""
    return bool(_frozen(network))


def _frozen(network: nn.Module) -> list[FieldBatchNorm]:
    return [one for one in network.modules() if isinstance(one, FieldBatchNorm) and one.frozen]
