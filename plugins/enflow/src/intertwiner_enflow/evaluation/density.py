"""Everything one wants to know of a flow and a target, from one pass each way."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner.errors import DataError
from intertwiner_enflow.density.convention import check_convention
from intertwiner_enflow.evaluation.estimators import (
    Estimate,
    effective_sample_size,
    forward_effective_sample_size,
    kl_forward,
    kl_reverse,
    log_z_by_importance,
    reweighted_mean,
)
from intertwiner_enflow.evaluation.floor import check_floor
from intertwiner_enflow.evaluation.modes import ModeCoverage, mode_coverage
from intertwiner_enflow.evaluation.one_probe import warn_of_one_probe
from intertwiner_enflow.evaluation.transport import pair_distances, wasserstein
from intertwiner_enflow.targets import Target

__all__ = ["DensityModel", "DensityReport", "evaluate_density", "tolerance_gap"]

_SIGMAS: Final = 3.0
_ROUNDING: Final = 1e-3


class DensityModel(Protocol):
    """What is evaluated: a density one can draw from."""

    def log_prob(self, x: Float[Tensor, "batch particles dim"], divergence: Any = ...) -> Tensor:
        """log q of configurations, in nats."""

    def sample(self, n: int, *, return_log_prob: bool = ...) -> tuple[Tensor, Tensor | None]:
        """n configurations with their log q."""


@dataclass(frozen=True, slots=True)
class DensityReport:
    """Figures of one flow; entropies and divergences in nats, energies in kT.

    nll: mean of -log q over true samples. floor: the entropy it cannot fall below. ess,
    forward_ess: shares of 1. log_z: by importance sampling, beside `true_log_z`. mean_energy:
    reweighted, beside `true_energy`. energy_w2, distance_w2: of samples as they come, each
    followed by that of two true sets. failed: samples whose integration failed, left out.
    seconds: process time for every sample, log q included.
    """

    nll: Estimate
    floor: float
    kl: Estimate
    reverse_kl: Estimate
    ess: float
    forward_ess: float
    log_z: Estimate
    true_log_z: float
    mean_energy: Estimate
    true_energy: float
    energy_w2: tuple[float, float]
    distance_w2: tuple[float, float]
    modes: tuple[ModeCoverage, ...]
    failed: int
    seconds: float

    @property
    def reliable(self) -> bool:
        """Whether ln Z and <U> by importance sampling agree with the truth within 3 s.e."""
        return all(
            abs(found.value - true) <= _SIGMAS * found.error + _ROUNDING
            for found, true in (
                (self.log_z, self.true_log_z),
                (self.mean_energy, self.true_energy),
            )
        )

    def lines(self) -> Iterable[str]:
        """The report as text."""
        yield f"KL(p|q) {self.kl} nats (NLL {self.nll}, floor {self.floor:.3f})"
        yield f"KL(q|p) {self.reverse_kl} nats"
        flag = "" if self.reliable else "  UNRELIABLE: importance sampling misses the truth"
        yield f"ESS {self.ess:.3f} of {self.log_z.count}, forward {self.forward_ess:.3f}{flag}"
        yield f"ln Z {self.log_z}, true {self.true_log_z:.3f}"
        yield f"<U> reweighted {self.mean_energy}, true {self.true_energy:.3f}"
        yield f"energy W2 {self.energy_w2[0]:.3f} (two true sets {self.energy_w2[1]:.3f})"
        yield f"distance W2 {self.distance_w2[0]:.4f} (two true sets {self.distance_w2[1]:.4f})"
        for mode in self.modes:
            yield (
                f"{mode.feature}: total variation {mode.raw:.3f}, reweighted "
                f"{mode.reweighted:.3f} (two true sets {mode.floor:.3f})"
            )
        yield f"{1e3 * self.seconds:.1f} ms a sample with log q, {self.failed} failed"


@torch.no_grad()
def evaluate_density(
    flow: DensityModel,
    target: Target,
    truth: Float[Tensor, "test particles dim"],
    *,
    samples: int = 2_000,
    **settings: Any,
) -> DensityReport:
    """Measures `flow` against `target`.

    truth: test samples of the target, of another seed than the training samples.
    samples: how many to draw from the flow. settings: passed on to `log_prob` and `sample`.

    Raises `BelowFloor` when KL(p|q) + 3 s.e. < 0, and `DataError` when ln Z or <U> of the target
    are not known or no sample could be drawn. A flow that remembers another target or pair
    convention is refused with a `StateError` that names both. Warns (`OneProbe`) when log q is
    asked for by one probe.
    """
    check_convention(flow, target.name)
    floor, log_z, mean_energy = target.floor(), target.log_z, target.mean_energy
    assert log_z is not None
    assert mean_energy is not None
    warn_of_one_probe(flow, truth, settings)
    log_p = flow.log_prob(truth, **settings)
    true_energy = target.energy(truth.double())
    kl = check_floor(kl_forward(log_p, true_energy, log_z.value), log_z.error)
    started = time.process_time()
    x, log_q, failed = _drawn(flow, samples, settings)
    seconds = (time.process_time() - started) / samples
    energy = target.energy(x.double())
    weights = torch.softmax(-energy - log_q.double(), 0)
    half = len(truth) // 2
    distances = pair_distances(truth)
    return DensityReport(
        nll=kl_forward(log_p, torch.zeros_like(true_energy), 0.0),
        floor=floor.value,
        kl=kl,
        reverse_kl=kl_reverse(log_q, energy, log_z.value),
        ess=effective_sample_size(log_q, energy),
        forward_ess=forward_effective_sample_size(log_p, true_energy),
        log_z=log_z_by_importance(log_q, energy),
        true_log_z=log_z.value,
        mean_energy=reweighted_mean(energy, log_q, energy),
        true_energy=mean_energy.value,
        energy_w2=(
            wasserstein(energy, true_energy),
            wasserstein(true_energy[:half], true_energy[half:]),
        ),
        distance_w2=(
            wasserstein(pair_distances(x), distances),
            wasserstein(pair_distances(truth[:half]), pair_distances(truth[half:])),
        ),
        modes=tuple(mode_coverage(target, x, weights, truth)),
        failed=failed,
        seconds=seconds,
    )


@torch.no_grad()
def tolerance_gap(
    flow: Any, x: Float[Tensor, "batch particles dim"], tolerance: float = 1e-5
) -> float:
    """|mean NLL at `tolerance` - mean NLL at a tenth of it|, which must stay below 0.01 nat.

    A flow that was trained to exploit its integrator shows here.
    """
    loose, tight = (
        flow.log_prob(x, tolerance=value).double().mean() for value in (tolerance, tolerance / 10)
    )
    return abs(float(loose - tight))


def _drawn(flow: DensityModel, count: int, settings: dict[str, Any]) -> tuple[Tensor, Tensor, int]:
    """Samples, their log q, and how many failed and were left out."""
    x, log_q = flow.sample(count, return_log_prob=True, **settings)
    if log_q is None:
        raise DataError("sample(n, return_log_prob=True) gave no log_prob")
    good = torch.isfinite(log_q) & torch.isfinite(x).flatten(1).all(dim=1)
    if not bool(good.any()):
        raise DataError(f"none of {count} samples could be integrated")
    return x[good], log_q[good], int((~good).sum())
