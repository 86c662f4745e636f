"""Functions applied to samples on a circle: synthesis, a function of every sample, analysis.

    s_j = k (x_0 + sqrt 2 sum_n (a_n cos n alpha_j + b_n sin n alpha_j)),   alpha_j = 2 pi j / N
    x'_0 = sum_j f(s_j) / (k N),   a'_n = sqrt 2 sum_j f(s_j) cos n alpha_j / (k N)

A polynomial f of degree d commutes with all rotations when N >= (d + 1) L + 1; other functions
approximately, the better the more samples. k = 1/sqrt(2L + 1) makes unit coefficients unit
samples, whatever N is; k = 1/sqrt N is the scaling of the authors' code.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Final, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_gauge_mesh.errors import InvalidSetting
from intertwiner_gauge_mesh.types import FeatureType, TypeLike

__all__ = ["SAMPLED", "SampledNonlinearity", "quadratic"]


def quadratic(x: Tensor) -> Tensor:
    """x + x^2 / 4."""
    return x + 0.25 * x.square()


SAMPLED: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "quad": quadratic,
    "relu": torch.nn.functional.relu,
    "silu": torch.nn.functional.silu,
    "gelu": torch.nn.functional.gelu,
    "softplus": torch.nn.functional.softplus,
}
DEGREES: Final = {"quad": 2}
COARSE: Final = 11
"""Samples for order 2 below which the result depends on the frame by 0.3 % or more."""


class SampledNonlinearity(nn.Module):
    """A function of `SAMPLED`, applied channel by channel.

    samples: N; 0 takes 3L + 1 for "quad", which is exact, and 24 for the others.
    scaling: "unit" or "released", see above. quiet: no warning where N is coarse.
    normalize: batch normalisation of the samples over vertices, per channel; parity alone.

    Raises `InvalidSetting` when N is below 2L + 1, or below the exact number for a polynomial.
    """

    synthesis: Tensor
    analysis: Tensor

    def __init__(
        self,
        kind: TypeLike,
        function: str = "relu",
        samples: int = 0,
        *,
        scaling: Literal["unit", "released"] = "unit",
        quiet: bool = False,
    ) -> None:
        super().__init__()
        self.kind = FeatureType.parse(kind)
        if function not in SAMPLED:
            raise InvalidSetting(f"nonlinearity {function!r}: choose one of {', '.join(SAMPLED)}")
        order = self.kind.order
        self.function, self.scaling = function, scaling
        self.samples = samples or ((3 * order + 1) if function in DEGREES else 24)
        _check_samples(function, self.samples, order, quiet)
        synthesis, analysis = _tables(order, self.samples, scaling)
        self.register_buffer("synthesis", synthesis, persistent=False)
        self.register_buffer("analysis", analysis, persistent=False)

    def forward(self, x: Float[Tensor, "vertices width"]) -> Float[Tensor, "vertices width"]:
        """Commutes with turning the frames, exactly or to the precision of the samples."""
        samples = SAMPLED[self.function](self.synthesis.to(x.dtype) @ self._stack(x))
        return self._flatten(self.analysis.to(x.dtype) @ samples)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> SampledNonlinearity:
        """Tables keep double precision whatever the parameters have."""
        super()._apply(fn, recurse)
        synthesis, analysis = _tables(self.kind.order, self.samples, self.scaling)
        self.synthesis = synthesis.to(self.synthesis.device)
        self.analysis = analysis.to(self.analysis.device)
        return self

    def _stack(self, x: Tensor) -> Float[Tensor, "vertices components channels"]:
        counts = self.kind.multiplicities
        width = max(counts)
        if min(counts) == width:
            return x.view(len(x), -1, width)
        parts = [
            nn.functional.pad(
                x[:, block.start : block.stop].reshape(len(x), 2 if block.order else 1, -1),
                (0, width - block.count),
            )
            for block in self.kind.blocks
        ]
        return torch.cat(parts, 1)

    def _flatten(self, x: Tensor) -> Float[Tensor, "vertices width"]:
        counts = self.kind.multiplicities
        if min(counts) == max(counts):
            return x.flatten(1)
        parts = [x[:, :1, : counts[0]].flatten(1)]
        for order, count in enumerate(counts[1:], 1):
            parts.append(x[:, 2 * order - 1 : 2 * order + 1, :count].flatten(1))
        return torch.cat(parts, 1)

    def extra_repr(self) -> str:
        return f"{self.kind}, {self.function}, samples={self.samples}, scaling={self.scaling}"


def _check_samples(function: str, samples: int, order: int, quiet: bool) -> None:
    if samples < 2 * order + 1:
        raise InvalidSetting(
            f"samples={samples} cannot hold order {order}: at least {2 * order + 1} are needed"
        )
    if function in DEGREES:
        least = (DEGREES[function] + 1) * order + 1
        if samples < least:
            raise InvalidSetting(
                f"samples={samples}: {function} at order {order} is exact from {least} on"
            )
    elif order and samples < COARSE and not quiet:
        warnings.warn(
            f"{function} with {samples} samples at order {order} depends on the frames by some "
            "percent; 24 samples, 'quad', 'gate' or 'product' do not",
            stacklevel=4,
        )


def _tables(
    order: int, samples: int, scaling: str
) -> tuple[Float[Tensor, "samples components"], Float[Tensor, "components samples"]]:
    angle = 2 * math.pi * torch.arange(samples, dtype=torch.float64) / samples
    columns = [torch.ones_like(angle)]
    for n in range(1, order + 1):
        columns += [math.sqrt(2) * (n * angle).cos(), math.sqrt(2) * (n * angle).sin()]
    waves = torch.stack(columns, 1)
    amplitude = 1 / math.sqrt(samples if scaling == "released" else 2 * order + 1)
    return amplitude * waves, waves.T / (amplitude * samples)
