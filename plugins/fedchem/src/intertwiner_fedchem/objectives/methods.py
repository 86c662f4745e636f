"""The losses by the names of their methods: `method(config, context)` gives the loss of a batch."""

from __future__ import annotations

from intertwiner.federated.client import ClientContext
from intertwiner_fedchem.objectives.config import (
    FedFocalConfig,
    FedVATConfig,
    FLITConfig,
    FLITPlusConfig,
)
from intertwiner_fedchem.objectives.contrastive import Moon as moon
from intertwiner_fedchem.objectives.proximal import FedProx as fedprox
from intertwiner_fedchem.objectives.weighed import WeighedLoss, Weighing

__all__ = ["fedfocal", "fedprox", "fedvat", "flit", "flit_plus", "moon"]


def fedfocal(config: FedFocalConfig, context: ClientContext) -> WeighedLoss:
    """FLIT without the comparison with the global model; for a cross entropy at D = 1 the factor is
    that of the focal loss (arXiv:2011.06283 without its sampling of clients).
    """
    weighing = Weighing(gamma=config.gamma, compares=False, warm_up=config.warm_up)
    return WeighedLoss(weighing, context)


def fedvat(config: FedVATConfig, context: ClientContext) -> WeighedLoss:
    """The loss and its adversarial loss, every record alike."""
    weighing = Weighing(
        gamma=0.0,
        compares=False,
        adversarial=1.0,
        xi=config.xi,
        epsilon=config.epsilon,
        warm_up=config.warm_up,
    )
    return WeighedLoss(weighing, context)


def flit(config: FLITConfig, context: ClientContext) -> WeighedLoss:
    """Records that the global model predicts better weigh more (arXiv:2109.07258)."""
    return WeighedLoss(Weighing(gamma=config.gamma, compares=True, warm_up=config.warm_up), context)


def flit_plus(config: FLITPlusConfig, context: ClientContext) -> WeighedLoss:
    """FLIT with adversarial losses in both the factor and the loss (arXiv:2109.07258)."""
    weighing = Weighing(
        gamma=config.gamma,
        compares=True,
        smoothness=config.smoothness,
        adversarial=config.adversarial,
        xi=config.xi,
        epsilon=config.epsilon,
        warm_up=config.warm_up,
    )
    return WeighedLoss(weighing, context)
