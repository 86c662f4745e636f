"""The flow of positions and elements together: densities as bounds, and molecules as samples.

log p(x, h, M) >= log p(M) + log N0(z_x) + log N(z_h) + log det of the scaling + integral of the
divergence - log q(v | x, h), with v drawn from the lifting q and z the end of the flow from the
scaled (x, v). With K draws the mean of the exponential over draws gives a tighter bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intertwiner_enflow.checks import check_finite, check_mask
from intertwiner_enflow.density.actnorm import ActNorm
from intertwiner_enflow.density.prior import log_normal, log_prior, sample_prior
from intertwiner_enflow.density.sizes import SizePrior
from intertwiner_enflow.discrete.dequantizer import (
    Dequantizer,
    FixedLifting,
    Lifted,
    masked_noise,
)
from intertwiner_enflow.discrete.lifting import class_of
from intertwiner_enflow.discrete.vocabulary import Vocabulary
from intertwiner_enflow.divergence.probes import ProbeKind
from intertwiner_enflow.dynamics.egnn import centred
from intertwiner_enflow.dynamics.joint import JointVelocity
from intertwiner_enflow.solver.solve import SolverSettings, solve
from intertwiner_enflow.transport import DivergenceKind, make_transport

__all__ = ["JointDensity", "JointFlow", "Molecules"]


@dataclass(frozen=True, slots=True, eq=False)
class JointDensity:
    """The bound of log p in nats, and its terms: log_prob is their sum where one draw was taken.

    dequantizer: -log q(v | x, h). regulariser: integral of |J p|^2 + |v|^2 where asked for.
    """

    log_prob: Float[Tensor, " batch"]
    size: Float[Tensor, " batch"]
    prior_x: Float[Tensor, " batch"]
    prior_h: Float[Tensor, " batch"]
    actnorm: Float[Tensor, " batch"]
    ode: Float[Tensor, " batch"]
    dequantizer: Float[Tensor, " batch"]
    nfe: Int[Tensor, " batch"]
    regulariser: Float[Tensor, " batch"] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Molecules:
    """Samples: positions in the data's units, atomic numbers (0 where masked), mask.

    log_prob: of the continuous (x, v) that the molecule was read from, with p(M). failed: the
    integration did not arrive; such samples are counted and never stand for a molecule.
    """

    x: Float[Tensor, "n atoms dim"]
    z: Int[Tensor, "n atoms"]
    mask: Float[Tensor, "n atoms"]
    failed: Bool[Tensor, " n"]
    log_prob: Float[Tensor, " n"] | None = None


class JointFlow(nn.Module):
    """A continuous normalizing flow of molecules of any size known to its size prior.

    dynamics: of states [x, v] with as many features as the vocabulary has.
    dequantizer: the learned distribution of features; None where only the fixed one is used.
    fixed_lifting: the one that is not learned.
    """

    def __init__(
        self,
        dynamics: JointVelocity,
        vocabulary: Vocabulary,
        dequantizer: Dequantizer | None = None,
        settings: SolverSettings | None = None,
        fixed_lifting: FixedLifting | None = None,
    ) -> None:
        super().__init__()
        self.dynamics = dynamics
        self.vocabulary = vocabulary
        self.dequantizer = dequantizer
        self.fixed_lifting = fixed_lifting or FixedLifting()
        self.actnorm = ActNorm(vocabulary.features)
        self.sizes = SizePrior()
        self.settings = settings or SolverSettings()

    def lifted(
        self,
        x: Float[Tensor, "batch n dim"],
        z: Int[Tensor, "batch n"],
        mask: Float[Tensor, "batch n"],
        *,
        fixed: bool = False,
        noise: Float[Tensor, "batch n features"] | None = None,
        generator: torch.Generator | None = None,
    ) -> Lifted:
        """Features drawn for the elements z, from the learned or the fixed distribution.

        noise: standard normal numbers to draw them with, in place of new ones.
        """
        one_hot, number = self.vocabulary.encode(z, mask)
        if noise is None:
            like = torch.cat((one_hot, number.unsqueeze(-1)), dim=-1)
            noise = masked_noise(like, mask, generator)
        if fixed or self.dequantizer is None:
            return self.fixed_lifting(one_hot, number, mask, noise)
        found: Lifted = self.dequantizer(x, one_hot, number, mask, noise)
        return found

    def density(
        self,
        x: Float[Tensor, "batch n dim"],
        z: Int[Tensor, "batch n"],
        mask: Float[Tensor, "batch n"],
        divergence: DivergenceKind = "exact",
        *,
        importance_samples: int = 1,
        fixed: bool = False,
        noise: Float[Tensor, "batch n features"] | None = None,
        given_probes: Float[Tensor, "count batch n channels"] | None = None,
        probes: int = 1,
        probe_kind: ProbeKind = "gaussian",
        regularised: bool = False,
        solver: SolverSettings | None = None,
        tolerance: float | None = None,
        generator: torch.Generator | None = None,
    ) -> JointDensity:
        """The bound of log p(x, z, M) and its terms, those of the last draw.

        fixed: with the distribution of features that flow matching was trained on. noise: to draw
        features with. given_probes: in place of drawn ones.
        Raises `StateError` for masks, coordinates or elements it cannot take.
        """
        check_mask(mask, x)
        check_finite(x, "coordinate")
        x = centred(x, mask)
        bounds, found = [], None
        for _ in range(importance_samples):
            lifted = self.lifted(x, z, mask, fixed=fixed, noise=noise, generator=generator)
            found = self._one(
                x, lifted, mask, divergence, probes, probe_kind, regularised,
                (solver or self.settings).with_tolerance(tolerance), generator, given_probes,
            )  # fmt: skip
            bounds.append(found.log_prob)
        if found is None:
            raise ValueError(f"importance_samples={importance_samples}: must be 1 or more")
        if len(bounds) == 1:
            return found
        tighter = torch.stack(bounds).logsumexp(dim=0) - math.log(len(bounds))
        values = {name: getattr(found, name) for name in JointDensity.__slots__}
        return JointDensity(**{**values, "log_prob": tighter})

    def log_prob(
        self,
        x: Float[Tensor, "batch n dim"],
        z: Int[Tensor, "batch n"],
        mask: Float[Tensor, "batch n"],
        divergence: DivergenceKind = "exact",
        **settings: object,
    ) -> Float[Tensor, " batch"]:
        """The bound of log p alone; see `density`."""
        return self.density(x, z, mask, divergence, **settings).log_prob  # type: ignore[arg-type]

    def _one(
        self,
        x: Tensor,
        lifted: Lifted,
        mask: Tensor,
        divergence: DivergenceKind,
        probes: int,
        probe_kind: ProbeKind,
        regularised: bool,
        solver: SolverSettings,
        generator: torch.Generator | None,
        given_probes: Tensor | None,
    ) -> JointDensity:
        dim = self.dynamics.dimension
        scaled_x, scaled_h, scaling = self.actnorm(x, lifted.v, mask)
        state = torch.cat((scaled_x, scaled_h), dim=-1)
        transport = make_transport(
            self.dynamics, state, mask, divergence, probes, probe_kind, generator,
            regularised=regularised, given=given_probes,
        )  # fmt: skip
        found = solve(transport, transport.begin(state), 0.0, 1.0, solver, generator)
        end = transport.state(found.y)
        size = self.sizes.log_prob(mask.sum(dim=1).long()).to(x.dtype)
        prior_x, prior_h = log_prior(end[..., :dim], mask), log_normal(end[..., dim:], mask)
        ode = transport.integral(found.y).sum(dim=1)
        total = size + prior_x + prior_h + scaling + ode - lifted.log_q
        norms = found.y[:, -1] if regularised else None
        return JointDensity(
            total, size, prior_x, prior_h, scaling, ode, -lifted.log_q, found.nfe, norms
        )

    @torch.no_grad()
    def sample(
        self,
        n: int,
        *,
        sizes: Int[Tensor, " n"] | None = None,
        return_log_prob: bool = False,
        divergence: DivergenceKind = "exact",
        tolerance: float | None = None,
        solver: SolverSettings | None = None,
        generator: torch.Generator | None = None,
    ) -> Molecules:
        """n molecules of the given sizes, or of sizes drawn from p(M)."""
        counts, mask, state = self._prior(n, sizes, generator)
        kind = divergence if return_log_prob else "none"
        transport = make_transport(self.dynamics, state, mask, kind, 1, "gaussian", generator)
        chosen = (solver or self.settings).with_tolerance(tolerance)
        found = solve(transport, transport.begin(state), 1.0, 0.0, chosen, generator)
        log_prob = None
        if return_log_prob:
            dim = self.dynamics.dimension
            log_prob = log_prior(state[..., :dim], mask) + log_normal(state[..., dim:], mask)
            log_prob = log_prob - transport.integral(found.y).sum(dim=1)
            log_prob = log_prob + self.actnorm.log_determinant(mask, dim)
            log_prob = log_prob + self.sizes.log_prob(counts).to(log_prob)
        return self._read(transport.state(found.y), mask, found.failed, log_prob)

    @torch.no_grad()
    def path(
        self,
        n: int,
        times: Sequence[float],
        *,
        sizes: Int[Tensor, " n"] | None = None,
        generator: torch.Generator | None = None,
    ) -> list[Molecules]:
        """n molecules on their way: what is read from the state at each of the times.

        times: from 1, the prior, downwards to 0. Raises `ValueError` unless they begin at 1.
        """
        if not times or times[0] != 1.0:
            raise ValueError(f"path: times are {list(times)}; they begin at 1, the prior")
        _, mask, state = self._prior(n, sizes, generator)
        failed = torch.zeros(n, dtype=torch.bool)
        frames = [self._read(state, mask, failed)]
        transport = make_transport(self.dynamics, state, mask, "none", 1, "gaussian", generator)
        for start, end in pairwise(times):
            found = solve(transport, transport.begin(state), start, end, self.settings, generator)
            state, failed = transport.state(found.y), failed | found.failed
            frames.append(self._read(state, mask, failed))
        return frames

    def _prior(
        self, n: int, sizes: Int[Tensor, " n"] | None, generator: torch.Generator | None
    ) -> tuple[Int[Tensor, " n"], Float[Tensor, "n most"], Float[Tensor, "n most channels"]]:
        """Numbers of atoms, the mask, and a state drawn for each."""
        counts = self.sizes.sample(n, generator) if sizes is None else sizes
        most, dim = int(counts.max()), self.dynamics.dimension
        like = next(self.parameters())
        mask = (torch.arange(most) < counts.unsqueeze(1)).to(like)
        z_x = sample_prior((n, most, dim), mask, generator, like.dtype, like.device)
        z_h = masked_noise(z_x.new_zeros(n, most, self.vocabulary.features), mask, generator)
        return counts, mask, torch.cat((z_x, z_h), dim=-1)

    def _read(
        self, state: Tensor, mask: Tensor, failed: Tensor, log_prob: Tensor | None = None
    ) -> Molecules:
        """The molecules that states stand for."""
        dim = self.dynamics.dimension
        x, v = self.actnorm.inverse(state[..., :dim], state[..., dim:], mask)
        elements = self.vocabulary.decode(class_of(v[..., :-1]), mask)
        failed = failed | ~state.isfinite().all(dim=(1, 2))
        return Molecules(x, elements, mask, failed, log_prob)
