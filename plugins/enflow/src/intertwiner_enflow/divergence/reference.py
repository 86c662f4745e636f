"""The usual exact divergence: one reverse pass for every coordinate. For comparison and tests."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.dynamics.base import Dynamics
from intertwiner_enflow.kernels.choice import torch_form

__all__ = ["divergence_by_gradients"]


def divergence_by_gradients(
    dynamics: Dynamics,
    t: Float[Tensor, " batch"],
    s: Float[Tensor, "batch n channels"],
    mask: Float[Tensor, "batch n"] | None = None,
    *,
    create_graph: bool = False,
) -> tuple[Float[Tensor, "batch n channels"], Float[Tensor, " batch"]]:
    """v and div v: the diagonal of the Jacobian, entry by entry from `torch.autograd.grad`."""
    with torch_form(), torch.enable_grad():
        state = s.detach().requires_grad_() if not s.requires_grad else s
        values = dynamics(t, state, mask)
        flat = values.flatten(1)
        total = torch.zeros(len(s), dtype=s.dtype, device=s.device)
        for column in range(flat.shape[1]):
            (rows,) = torch.autograd.grad(
                flat[:, column].sum(), state, create_graph=create_graph, retain_graph=True
            )
            total = total + rows.flatten(1)[:, column]
    return (values, total) if create_graph else (values.detach(), total.detach())
