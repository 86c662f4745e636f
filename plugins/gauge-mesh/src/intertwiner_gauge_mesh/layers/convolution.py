"""The gauge-equivariant convolution of arXiv 2003.05425 with radial rings.

Every neighbour is seen in the frame of the edge that leads to it, mixed by a matrix without any
constraint, and turned into the frame of the vertex:

    out_p = K_self f_p + b_0 + sum_q w_q rho(theta) (sum_r w_r W_r rho(phi - theta) f_q + b).

K(theta) = rho(theta) W rho(-theta) are all kernels that the constraint of the paper allows.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_gauge_mesh.config import SelfMode, Weights
from intertwiner_gauge_mesh.errors import InvalidSetting, WrongType
from intertwiner_gauge_mesh.kernels import gauge_aggregate
from intertwiner_gauge_mesh.kernels.algebra import self_numbers
from intertwiner_gauge_mesh.layers.signature import SignedModule
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.radial import Radial
from intertwiner_gauge_mesh.types import FeatureType, TypeLike

__all__ = ["GaugeConv"]

BALANCE = math.sqrt(6)
"""What the mean over six independent neighbours takes away from a signal."""


class GaugeConv(SignedModule):
    """Features of type `type_in` on the vertices of a plan to features of type `type_out`.

    reach: largest edge length that the rings resolve, in the unit of the positions.
    rings, weights, self_mode, radial, init: see `intertwiner_gauge_mesh.GemConfig`.
    report: warn of plans of which more than 1 % of the edges are longer than the reach.
    generator: draws the parameters; torch's own by default.
    """

    reach: Tensor

    def __init__(
        self,
        type_in: TypeLike,
        type_out: TypeLike,
        *,
        reach: float = 1.0,
        rings: int = 2,
        weights: Weights = "mean",
        self_mode: SelfMode = "outside",
        radial: Radial = "clamp",
        init: Literal["balanced", "released"] = "balanced",
        bias: bool = True,
        report: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.type_in, self.type_out = FeatureType.parse(type_in), FeatureType.parse(type_out)
        if rings < 1:
            raise InvalidSetting(f"rings={rings}: a filter has at least one")
        self.rings, self.weights, self.self_mode = rings, weights, self_mode
        self.radial: Radial = radial
        self.report = report
        self.register_buffer("reach", torch.tensor(1.0, dtype=torch.float64))
        self.set_reach(reach)
        width_in, width_out = self.type_in.width, self.type_out.width
        self.weight = nn.Parameter(torch.empty(rings, width_in, width_out))
        self.self_weight = (
            None
            if self_mode == "none"
            else nn.Parameter(torch.empty(self_numbers(self.type_in, self.type_out)))
        )
        self.bias = nn.Parameter(torch.zeros(width_out)) if bias else None
        self.reset(init, generator)
        self.sign(
            f"{self.type_in} -> {self.type_out}, {rings} rings, {radial}, weights {weights}, "
            f"self {self_mode}"
        )

    def reset(
        self, init: Literal["balanced", "released"], generator: torch.Generator | None = None
    ) -> None:
        """Draws the parameters anew: uniform in +-sqrt(6 / (fan in + fan out)), bias zero."""
        bound = math.sqrt(6 / max(1, self.type_in.width + self.type_out.width))
        balance = BALANCE if init == "balanced" else 1.0
        with torch.no_grad():
            self.weight.uniform_(-bound * balance, bound * balance, generator=generator)
            if self.self_weight is not None:
                self.self_weight.uniform_(-bound, bound, generator=generator)
            if self.bias is not None:
                self.bias.zero_()

    def set_reach(self, reach: float) -> None:
        """Sets the largest resolved edge length. Raises `InvalidSetting` unless positive."""
        if not (reach > 0 and math.isfinite(reach)):
            raise InvalidSetting(f"reach={reach}: it must be a positive length")
        self.reach.fill_(reach)

    def forward(
        self, x: Float[Tensor, "vertices width_in"], plan: MeshPlan
    ) -> Float[Tensor, "vertices width_out"]:
        """Raises `WrongType` or `InvalidInput` when the features do not belong to the plan."""
        self._check(x)
        if self.report and self.rings > 1 and ("reported", float(self.reach)) not in plan.cache:
            plan.cache["reported", float(self.reach)] = True
            plan.report_long_edges(float(self.reach))
        graph = plan.graph(
            rings=self.rings,
            reach=float(self.reach),
            weights=self.weights,
            radial=self.radial,
            self_mode=self.self_mode,
        )
        return gauge_aggregate(
            x, self.weight, self.self_weight, self.bias, graph, self.type_in, self.type_out
        )

    def _check(self, x: Tensor) -> None:
        if x.ndim != 2 or x.shape[1] != self.type_in.width:
            raise WrongType(
                f"features of shape {list(x.shape)} are not of type {self.type_in}, which this "
                f"layer reads ({self.type_in.width} numbers a vertex); it gives {self.type_out}"
            )

    def extra_repr(self) -> str:
        return (
            f"{self.type_in} -> {self.type_out}, rings={self.rings}, reach={float(self.reach):.4g}"
        )
