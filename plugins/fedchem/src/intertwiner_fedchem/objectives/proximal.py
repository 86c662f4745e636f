"""FedProx: clients are held near the global weights."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Batch

from intertwiner.federated.client import ClientContext
from intertwiner_fedchem.objectives.config import FedProxConfig

__all__ = ["FedProx"]


class FedProx:
    """loss + mu/2 |theta - theta_global|^2 (Li et al. 2020, arXiv:1812.06127).

    The gradient of the second term, mu (theta - theta_global), is added as it is; the loss that is
    reported has the first term alone.
    """

    def __init__(self, config: FedProxConfig, context: ClientContext) -> None:
        self.mu, self.objective = config.mu, context.objective
        trained = [(n, p) for n, p in context.model.named_parameters() if p.requires_grad]
        self.parameters = [parameter for _, parameter in trained]
        self.anchors = [context.arrays[name] for name, _ in trained]

    def __call__(self, batch: Batch) -> Tensor:
        loss: Tensor = self.objective(batch)
        return loss

    @torch.no_grad()
    def after_backward(self) -> None:
        """Adds the pull to the gradients."""
        pairs = zip(self.parameters, self.anchors, strict=True)
        reached = [(p.grad, p, anchor) for p, anchor in pairs if p.grad is not None]
        gradients, here, anchors = map(list, zip(*reached, strict=True))
        torch._foreach_add_(gradients, torch._foreach_sub(here, anchors), alpha=self.mu)
