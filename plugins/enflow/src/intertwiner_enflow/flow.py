"""The flow of positions: densities and samples of particle configurations.

Data are at t = 0, the prior at t = 1: log p(x) = log N0(z) + integral of div v from 0 to 1, with
z the end of dx/dt = v(t, x) from x. Samples go from 1 to 0, and carry their log-density along.
Densities are by the Lebesgue measure of the configurations of zero mean, in an orthonormal
basis, of labelled particles, with the normaliser, in nats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intertwiner_enflow.checks import check_positions
from intertwiner_enflow.density.convention import Convention
from intertwiner_enflow.density.prior import log_prior, sample_prior
from intertwiner_enflow.divergence.probes import ProbeKind
from intertwiner_enflow.dynamics.base import Dynamics, per_sample
from intertwiner_enflow.dynamics.egnn import centred
from intertwiner_enflow.errors import StateError
from intertwiner_enflow.solver.adaptive import Solution
from intertwiner_enflow.solver.solve import SolverSettings, solve
from intertwiner_enflow.transport import DivergenceKind, Transport, make_transport

__all__ = ["Density", "Flow"]


@dataclass(frozen=True, slots=True, eq=False)
class Density:
    """log_prob in nats, NaN where the integration failed; the other end of the path; its cost.

    nfe, rejected: evaluations of the velocity and rejected steps of every sample.
    probe_std: standard deviation of the estimate over probes divided by the root of their
    number (the standard error of log_prob), None when exact or with a single probe.
    """

    log_prob: Float[Tensor, " batch"]
    z: Float[Tensor, "batch n dim"]
    nfe: Int[Tensor, " batch"]
    rejected: Int[Tensor, " batch"]
    failed: Bool[Tensor, " batch"]
    probe_std: Float[Tensor, " batch"] | None = None

    @classmethod
    def joined(cls, parts: Sequence[Density]) -> Density:
        """Densities of consecutive parts of a batch, as of the whole."""
        if len(parts) == 1:
            return parts[0]

        def column(name: str) -> Tensor:
            return torch.cat([getattr(part, name) for part in parts])

        names = [field.name for field in fields(cls)]
        if parts[0].probe_std is None:
            names.remove("probe_std")
        return cls(**{name: column(name) for name in names})


class Flow(nn.Module):
    """A continuous normalizing flow of positions.

    dynamics: the velocity field. particles: their number, when only one is to be taken.
    settings: of the solver, where a call does not say otherwise. They hold in training and in
    evaluation alike.

    A buffer `scale` (1 unless set, see `set_scale`) divides configurations before the velocity
    field sees them; densities count it by -(N - 1) D ln scale. `convention` keeps what the
    training samples follow, for evaluations to refuse another.
    """

    scale: Tensor

    def __init__(
        self,
        dynamics: Dynamics,
        particles: int | None = None,
        settings: SolverSettings | None = None,
    ) -> None:
        super().__init__()
        if dynamics.features:
            raise StateError("this flow is of positions alone: use JointFlow for features")
        self.dynamics = dynamics
        self.particles = particles
        self.settings = settings or SolverSettings()
        self.convention = Convention()
        self.register_buffer("scale", torch.ones(()))

    @torch.no_grad()
    def set_scale(self, x: Float[Tensor, "batch n dim"]) -> None:
        """Sets `scale` to the standard deviation of a coordinate, sqrt(<|x|^2> / (N - 1) D)."""
        freedom = len(x) * max(1, x.shape[1] - 1) * x.shape[2]
        self.scale.fill_(float((centred(x).square().sum() / freedom).sqrt()) or 1.0)

    def log_volume(self, x: Float[Tensor, "batch n dim"]) -> Float[Tensor, ""]:
        """(N - 1) D ln scale, by which a density falls when the scale is taken in."""
        return (x.shape[1] - 1) * x.shape[2] * self.scale.log()

    @property
    def dimension(self) -> int:
        return self.dynamics.dimension

    def velocity(
        self, t: Float[Tensor, "*batch"] | float, x: Float[Tensor, "batch n dim"]
    ) -> Float[Tensor, "batch n dim"]:
        """v(t, x); t is a number or one of every sample."""
        found: Tensor = self.dynamics(per_sample(t, x), x)
        return found

    def log_prob(
        self,
        x: Float[Tensor, "batch n dim"],
        divergence: DivergenceKind = "exact",
        **settings: object,
    ) -> Float[Tensor, " batch"]:
        """log p(x) in nats; see `density` for the settings, and for what it took."""
        return self.density(x, divergence, **settings).log_prob  # type: ignore[arg-type]

    def density(
        self,
        x: Float[Tensor, "batch n dim"],
        divergence: DivergenceKind = "exact",
        *,
        probes: int = 1,
        probe_kind: ProbeKind = "rademacher",
        tolerance: float | None = None,
        solver: SolverSettings | None = None,
        generator: torch.Generator | None = None,
        batch_size: int = 500,
    ) -> Density:
        """log p(x), the point z of the prior that x comes from, and the cost of finding them.

        divergence: "exact", or "hutchinson" with `probes` probes of `probe_kind`.
        tolerance, solver: of the integration. batch_size: samples integrated at a time.
        Where gradients are enabled, log_prob has those of the discrete steps; use
        `torch.no_grad()` for values alone.
        Raises `StateError` for coordinates that are not finite, `ShapeError`, `SolverError`.
        """
        check_positions(x, self.dimension, self.particles)
        chosen = (solver or self.settings).with_tolerance(tolerance)
        parts = []
        scaled = (centred(x) / self.scale).split(batch_size)
        how = (divergence, probes, probe_kind, chosen, generator)
        for _, transport, found in self._carried(scaled, 0.0, 1.0, *how):
            z = transport.state(found.y)
            log_start = log_prior(z) - self.log_volume(x)
            parts.append(_density(transport, found, z, log_start, 1.0))
        return Density.joined(parts)

    def sample(
        self,
        n: int,
        *,
        particles: int | None = None,
        return_log_prob: bool = False,
        divergence: DivergenceKind = "exact",
        probes: int = 1,
        probe_kind: ProbeKind = "rademacher",
        tolerance: float | None = None,
        solver: SolverSettings | None = None,
        generator: torch.Generator | None = None,
        batch_size: int = 500,
    ) -> tuple[Float[Tensor, "n particles dim"], Float[Tensor, " n"] | None]:
        """n configurations, and with `return_log_prob` their log-densities from the same pass."""
        prior = self.sample_prior(n, particles, generator)
        kind = divergence if return_log_prob else "none"
        found = self.transport_prior(
            prior, kind, probes, probe_kind, tolerance, solver, generator, batch_size
        )
        return found.z, found.log_prob if return_log_prob else None

    def sample_prior(
        self, n: int, particles: int | None = None, generator: torch.Generator | None = None
    ) -> Float[Tensor, "n particles dim"]:
        """n draws of the prior, of the flow's own dtype and device."""
        count = particles or self.particles
        if count is None:
            raise StateError("say how many particles: sample(n, particles=...)")
        like = next(self.parameters())
        shape = (n, count, self.dimension)
        return sample_prior(shape, None, generator, like.dtype, like.device)

    @torch.no_grad()
    def transport_prior(
        self,
        z: Float[Tensor, "n particles dim"],
        divergence: DivergenceKind = "exact",
        probes: int = 1,
        probe_kind: ProbeKind = "rademacher",
        tolerance: float | None = None,
        solver: SolverSettings | None = None,
        generator: torch.Generator | None = None,
        batch_size: int = 500,
    ) -> Density:
        """Configurations (as `z` of the result) that the given prior points are carried to."""
        check_positions(z, self.dimension, self.particles)
        chosen = (solver or self.settings).with_tolerance(tolerance)
        parts = []
        how = (divergence, probes, probe_kind, chosen, generator)
        for part, transport, found in self._carried(centred(z).split(batch_size), 1.0, 0.0, *how):
            end = transport.state(found.y)
            log_start = log_prior(part) - self.log_volume(part)
            parts.append(_density(transport, found, end * self.scale, log_start, -1.0))
        return Density.joined(parts)

    def _carried(
        self,
        parts: Iterable[Tensor],
        start: float,
        end: float,
        divergence: DivergenceKind,
        probes: int,
        probe_kind: ProbeKind,
        settings: SolverSettings,
        generator: torch.Generator | None,
    ) -> Iterator[tuple[Tensor, Transport, Solution]]:
        """Every part with the integration from `start` to `end` that begins at it."""
        for part in parts:
            transport = make_transport(
                self.dynamics, part, None, divergence, probes, probe_kind, generator
            )
            y = transport.begin(part)
            yield part, transport, solve(transport, y, start, end, settings, generator)

    @torch.no_grad()
    def path(
        self, z: Float[Tensor, "batch n dim"], times: Sequence[float]
    ) -> Float[Tensor, "times batch n dim"]:
        """Where z, at times[0], is at each of the times: the frames of a film.

        In the units of the velocity field: times `scale` they are those of the data.
        """
        frames = [centred(z)]
        for start, end in pairwise(times):
            transport = Transport(self.dynamics, z.shape[1], "none")
            y = transport.begin(frames[-1])
            frames.append(transport.state(solve(transport, y, start, end, self.settings).y))
        return torch.stack(frames)


def _density(
    transport: Transport, found: Solution, end: Tensor, log_start: Tensor, sign: float
) -> Density:
    columns = transport.integral(found.y)
    log_prob = log_start + sign * columns.sum(dim=1)
    if bool(found.failed.any()):
        log_prob = log_prob.masked_fill(found.failed, torch.nan)
    count = columns.shape[1]
    spread = None if count < 2 else count**0.5 * columns.detach().std(dim=1)
    return Density(log_prob, end, found.nfe, found.rejected, found.failed, spread)
