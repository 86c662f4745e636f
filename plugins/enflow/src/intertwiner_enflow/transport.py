"""The right-hand side of a flow with its log-density: d[s, l]/dt = [v(t, s), div v(t, s)]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_enflow.divergence.exact import MEMORY_CAP, exact_divergence
from intertwiner_enflow.divergence.probes import ProbeKind, draw_probes, hutchinson_divergence
from intertwiner_enflow.dynamics.base import Dynamics

__all__ = ["DivergenceKind", "Transport", "make_transport"]

DivergenceKind = Literal["exact", "hutchinson", "none"]


@dataclass(frozen=True, slots=True, eq=False)
class Transport:
    """A field for the solvers: rows of y hold a state, then the integrals that go with it.

    Integrals: div v (exact), or one column per probe whose sum estimates it, or none; with
    `regularised` one more, |J p|^2 + |v|^2 (kinetic energy and Jacobian norm; needs probes).
    """

    dynamics: Dynamics
    particles: int
    divergence: DivergenceKind
    mask: Float[Tensor, "batch n"] | None = None
    probes: Float[Tensor, "count batch n channels"] | None = None
    regularised: bool = False
    memory_cap: int = MEMORY_CAP

    @property
    def width(self) -> int:
        """Entries of the state."""
        return self.particles * self.dynamics.channels

    @property
    def divergence_columns(self) -> int:
        if self.divergence == "none":
            return 0
        return 1 if self.probes is None or self.divergence == "exact" else len(self.probes)

    def begin(self, s: Float[Tensor, "batch n channels"]) -> Float[Tensor, "batch width"]:
        """The rows at the start, with integrals zero."""
        integrals = s.new_zeros(len(s), self.divergence_columns + int(self.regularised))
        return torch.cat((s.flatten(1), integrals), dim=1)

    def state(self, y: Float[Tensor, "batch width"]) -> Float[Tensor, "batch n channels"]:
        return y[:, : self.width].reshape(len(y), self.particles, self.dynamics.channels)

    def integral(self, y: Float[Tensor, "batch width"]) -> Float[Tensor, "batch columns"]:
        """Of the divergence: its columns, to be summed."""
        return y[:, self.width : self.width + self.divergence_columns]

    def magnitudes(self, y: Float[Tensor, "active width"]) -> Float[Tensor, "active width"]:
        """The root mean square of a particle's coordinates in place of each; |.| of the rest."""
        dim = self.dynamics.dimension
        s = self.state(y)
        lengths = s[..., :dim].square().mean(dim=-1, keepdim=True).sqrt().expand(-1, -1, dim)
        sizes = torch.cat((lengths, s[..., dim:].abs()), dim=-1).flatten(1)
        return torch.cat((sizes, y[:, self.width :].abs()), dim=1)

    def counts(self, rows: Int[Tensor, " active"]) -> Float[Tensor, " active"]:
        """How many entries of each row are of real particles, or integrals."""
        integrals = self.divergence_columns + int(self.regularised)
        if self.mask is None:
            return torch.full((len(rows),), self.width + integrals, device=rows.device)
        return self.mask[rows].sum(dim=1) * self.dynamics.channels + integrals

    def __call__(
        self,
        t: Float[Tensor, " active"],
        y: Float[Tensor, "active width"],
        rows: Int[Tensor, " active"],
    ) -> Float[Tensor, "active width"]:
        s, mask = self.state(y), _rows(self.mask, rows, 0)
        if self.divergence == "none":
            return self._joined(self.dynamics(t, s, mask))
        if self.divergence == "exact":
            v, trace = exact_divergence(self.dynamics, t, s, mask, memory_cap=self.memory_cap)
            return self._joined(v, trace.unsqueeze(1))
        probes = _rows(self.probes, rows, 1)
        if probes is None:
            raise ValueError("divergence 'hutchinson' needs probes")
        v, terms, change = hutchinson_divergence(self.dynamics, t, s, probes, mask)
        if not self.regularised:
            return self._joined(v, terms)
        norms = change.square().sum(dim=(0, 2, 3)) + v.square().sum(dim=(1, 2))
        return self._joined(v, terms, norms.unsqueeze(1))

    def _joined(self, v: Tensor, *columns: Tensor) -> Tensor:
        return torch.cat((v.flatten(1), *columns), dim=1)


def _rows(values: Tensor | None, rows: Tensor, dim: int) -> Tensor | None:
    """`values` of the samples under way."""
    if values is None or len(rows) == values.shape[dim]:
        return values
    return values.index_select(dim, rows)


def make_transport(
    dynamics: Dynamics,
    s: Float[Tensor, "batch n channels"],
    mask: Float[Tensor, "batch n"] | None,
    divergence: DivergenceKind,
    probes: int,
    probe_kind: ProbeKind,
    generator: torch.Generator | None,
    *,
    regularised: bool = False,
    given: Float[Tensor, "count batch n channels"] | None = None,
) -> Transport:
    """A transport of states like `s`, its probes drawn once for the whole solve, or given."""
    drawn = given if divergence == "hutchinson" else None
    if divergence == "hutchinson" and given is None:
        drawn = draw_probes(probe_kind, probes, s, dynamics.dimension, mask, generator)
    return Transport(dynamics, s.shape[1], divergence, mask, probes=drawn, regularised=regularised)
