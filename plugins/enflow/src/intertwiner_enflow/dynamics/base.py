"""What a velocity field is: a module with values, tangents, and perhaps a divergence of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_enflow.kernels.choice import torch_form

__all__ = ["Dynamics", "per_sample"]


class Dynamics(nn.Module, ABC):
    """The right-hand side ds/dt = v(t, s) of a flow of states s [batch, particles, channels].

    channels = dimension + features: the first `dimension` are a position, the rest are features
    that no rotation changes. A mask [batch, particles] of ones and zeros marks real particles;
    None means that all are.

    equivariant: v commutes with rotations, reflections and permutations; what flow matching with
    aligned pairs needs.
    """

    equivariant: bool = True

    def __init__(self, dimension: int, features: int = 0) -> None:
        super().__init__()
        self.dimension = dimension
        self.features = features

    @property
    def channels(self) -> int:
        return self.dimension + self.features

    @abstractmethod
    def forward(
        self,
        t: Float[Tensor, " batch"],
        s: Float[Tensor, "batch particles channels"],
        mask: Float[Tensor, "batch particles"] | None = None,
    ) -> Float[Tensor, "batch particles channels"]:
        """The velocity; its positions' mean over the particles is zero."""

    def tangents(
        self,
        t: Float[Tensor, " batch"],
        s: Float[Tensor, "batch particles channels"],
        ds: Float[Tensor, "directions batch particles channels"],
        mask: Float[Tensor, "batch particles"] | None = None,
    ) -> tuple[
        Float[Tensor, "batch particles channels"],
        Float[Tensor, "directions batch particles channels"],
    ]:
        """v and its directional derivatives J ds, by `torch.func.jvp` unless overridden."""

        def field(state: Tensor) -> Tensor:
            found: Tensor = self(t, state, mask)
            return found

        def along(direction: Tensor) -> Tensor:
            change: Tensor = torch.func.jvp(field, (s,), (direction,))[1]
            return change

        with torch_form():
            change: Tensor = torch.func.vmap(along)(ds)
        return field(s), change

    def divergence(
        self, t: Float[Tensor, " batch"], s: Float[Tensor, "batch particles channels"]
    ) -> tuple[Float[Tensor, "batch particles channels"], Float[Tensor, " batch"]] | None:
        """v and its exact divergence where the field knows a short way, else None."""
        return None

    def is_compact(self, s: Float[Tensor, "batch particles channels"]) -> bool:
        """Whether an evaluation keeps little memory for its gradient: then steps of a solver need
        no checkpoints."""
        return False


def per_sample(t: Float[Tensor, "*batch"] | float, s: Float[Tensor, "batch ..."]) -> Tensor:
    """The time as one number per sample, from a number or a tensor of either kind."""
    time = torch.as_tensor(t, dtype=s.dtype, device=s.device)
    return time.expand(len(s)) if time.ndim == 0 else time
