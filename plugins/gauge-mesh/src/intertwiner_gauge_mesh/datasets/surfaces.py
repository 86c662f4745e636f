"""Closed surfaces given by formulas, with exact normals and curvatures.

A surface maps parameters (a unit direction, or two angles) to points. Around every parameter it has
a chart X(s, t); normals and curvatures come from the chart's first and second derivatives, taken by
automatic differentiation in float64, so they hold for any formula.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import hessian, jacfwd, vmap

__all__ = ["BumpySphere", "BumpyTorus", "Surface"]


class Surface(ABC):
    """A closed surface in space, outward normals; lengths are in units of its own size."""

    @abstractmethod
    def chart(
        self, parameter: Float[Tensor, " k"], step: Float[Tensor, " 2"]
    ) -> Float[Tensor, " 3"]:
        """The point reached from `parameter` by `step`; the chart is right-handed outwards."""

    def points(self, parameters: Float[Tensor, "n k"]) -> Float[Tensor, "n 3"]:
        """The points of the surface at `parameters`."""
        return vmap(self.chart, (0, None))(parameters, parameters.new_zeros(2))

    def normals(self, parameters: Float[Tensor, "n k"]) -> Float[Tensor, "n 3"]:
        """Outward unit normals."""
        return _unit_normals(self._jacobians(parameters))

    def shape_tensors(self, parameters: Float[Tensor, "n k"]) -> Float[Tensor, "n 3 3"]:
        """B = J I^-1 II I^-1 J^T with II = -n.H: kappa_1 e_1 e_1^T + kappa_2 e_2 e_2^T.

        Curvature is positive where the surface bends away from its outward normal: 1/r on a sphere
        of radius r.
        """
        jacobians = self._jacobians(parameters)
        hessians = vmap(hessian(self.chart, argnums=1), (0, None))(
            parameters, parameters.new_zeros(2)
        )
        second = -torch.einsum("ni,nist->nst", _unit_normals(jacobians), hessians)
        metric = torch.einsum("nis,nit->nst", jacobians, jacobians)
        raised = torch.linalg.solve(metric, jacobians.mT)
        return raised.mT @ second @ raised

    def _jacobians(self, parameters: Float[Tensor, "n k"]) -> Float[Tensor, "n 3 2"]:
        found: Tensor = vmap(jacfwd(self.chart, argnums=1), (0, None))(
            parameters, parameters.new_zeros(2)
        )
        return found


def _unit_normals(jacobians: Float[Tensor, "n 3 2"]) -> Float[Tensor, "n 3"]:
    crossed = torch.linalg.cross(jacobians[..., 0], jacobians[..., 1])
    return crossed / crossed.norm(dim=1, keepdim=True)


@dataclass(frozen=True)
class BumpySphere(Surface):
    """r(d) = 1 + sum_j A_j sin(k_j.d + p_j) along the unit direction d.

    amplitudes [j], waves [j, 3] and phases [j] in float64.
    """

    amplitudes: Tensor
    waves: Tensor
    phases: Tensor

    @classmethod
    def random(cls, generator: torch.Generator) -> BumpySphere:
        """Two or three bumps of amplitude 0.08 to 0.16, wave vectors 2 N(0, 1)."""
        count = 2 + int(torch.randint(2, (), generator=generator))
        draw = torch.rand(2, count, generator=generator, dtype=torch.float64)
        waves = 2 * torch.randn(count, 3, generator=generator, dtype=torch.float64)
        return cls(0.08 + 0.08 * draw[0], waves, 2 * math.pi * draw[1])

    def chart(
        self, parameter: Float[Tensor, " 3"], step: Float[Tensor, " 2"]
    ) -> Float[Tensor, " 3"]:
        first, second = _tangents(parameter)
        direction = parameter + step[0] * first + step[1] * second
        direction = direction / direction.norm()
        radius = 1 + (self.amplitudes * torch.sin(self.waves @ direction + self.phases)).sum()
        return radius * direction


def _tangents(direction: Float[Tensor, " 3"]) -> tuple[Tensor, Tensor]:
    """Two unit vectors that make a right-handed frame with the unit vector `direction`.

    Without branches (Duff et al., JCGT 2017), so that it can be mapped over many directions.
    """
    x, y, z = direction
    sign = torch.where(z >= 0, 1.0, -1.0).to(direction.dtype)
    a = -1 / (sign + z)
    b = x * y * a
    first = torch.stack([1 + sign * x * x * a, sign * b, -sign * x])
    second = torch.stack([b, sign + y * y * a, -y])
    return first, second


@dataclass(frozen=True)
class BumpyTorus(Surface):
    """A tube around the unit circle whose radius is 0.4 + A sin(m u + p) cos(n v + q)."""

    amplitude: float = 0.05
    modes: tuple[int, int] = (3, 2)
    phases: tuple[float, float] = (0.5, 0.0)

    @classmethod
    def random(cls, generator: torch.Generator) -> BumpyTorus:
        """Amplitude 0.03 to 0.06, two or three waves around and along the tube."""
        draw = torch.rand(3, generator=generator, dtype=torch.float64).tolist()
        modes = torch.randint(2, 4, (2,), generator=generator).tolist()
        phases = (2 * math.pi * draw[1], 2 * math.pi * draw[2])
        return cls(0.03 + 0.03 * draw[0], (modes[0], modes[1]), phases)

    def chart(
        self, parameter: Float[Tensor, " 2"], step: Float[Tensor, " 2"]
    ) -> Float[Tensor, " 3"]:
        u, v = parameter + step
        (m, n), (p, q) = self.modes, self.phases
        tube = 0.4 + self.amplitude * torch.sin(m * u + p) * torch.cos(n * v + q)
        ring = 1 + tube * torch.cos(v)
        return torch.stack([ring * torch.cos(u), ring * torch.sin(u), tube * torch.sin(v)])
