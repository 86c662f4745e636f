"""The distance to the truth after a budget of processor time, over seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.density.convention import convention_of
from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.evaluation.controls import GaussianDensity, fitted_gaussian, identity
from intertwiner_enflow.evaluation.density import DensityReport, evaluate_density, tolerance_gap
from intertwiner_enflow.evaluation.estimators import Estimate, kl_forward
from intertwiner_enflow.flow import Flow
from intertwiner_enflow.studies.budget import Trained, train_within
from intertwiner_enflow.studies.settings import BudgetSettings
from intertwiner_enflow.targets import Target

__all__ = [
    "Distance",
    "control_distances",
    "load_trained",
    "measure",
    "over_seeds",
    "train_and_measure",
    "train_for",
]

Frames = Float[Tensor, "frames particles dim"]
_CHECKED = 64


@dataclass(frozen=True, slots=True, eq=False)
class Distance:
    """One trained flow. gap: of the mean NLL at the tolerance and at a tenth of it, in nats."""

    arm: str
    seed: int
    trained: Trained
    report: DensityReport
    gap: float

    def lines(self) -> Iterator[str]:
        """What it took and what came of it."""
        steps = f"{self.trained.matching_steps} + {self.trained.likelihood_steps} steps"
        yield f"{self.arm}, seed {self.seed}: {steps} in {self.trained.seconds:.0f} CPU-s"
        yield from (f"  {line}" for line in self.report.lines())
        yield f"  NLL at the tolerance and at a tenth of it differ by {self.gap:.4f} nats"


def train_and_measure(
    arm: str,
    target: Target,
    parts: Mapping[str, Frames],
    seconds: float,
    settings: BudgetSettings,
    seed: int,
    *,
    samples: int = 2_000,
    tolerance: float = 1e-5,
) -> Distance:
    """Trains on parts["train"] for `seconds` of processor time and measures on parts["test"]."""
    trained = train_for(target, parts["train"], seconds, settings, seed)
    return measure(arm, target, parts["test"], trained, seed, samples=samples, tolerance=tolerance)


def train_for(
    target: Target,
    train: Frames,
    seconds: float,
    settings: BudgetSettings,
    seed: int,
    start: Mapping[str, Tensor] | None = None,
) -> Trained:
    """Trains for `seconds` of processor time; the flow remembers its target."""
    trained = train_within(seconds, train, settings, seed, start)
    trained.flow.convention.remember(convention_of(target.name))
    return trained


def load_trained(
    target: Target, settings: BudgetSettings, weights: Mapping[str, Tensor]
) -> Trained:
    """A flow from the weights that were kept of it."""
    dynamics = EgnnVelocity(target.dimension, settings.layers, settings.features)
    flow = Flow(dynamics, target.particles)
    flow.load_state_dict(weights)
    return Trained(flow, 0, 0, 0.0)


def measure(
    arm: str,
    target: Target,
    test: Frames,
    trained: Trained,
    seed: int,
    *,
    samples: int = 2_000,
    tolerance: float = 1e-5,
) -> Distance:
    """Measures a trained flow on test samples: exact divergence, adaptive at `tolerance`."""
    generator = torch.Generator().manual_seed(10_000 + seed)
    flow = _Seeded(trained, generator)
    report = evaluate_density(flow, target, test, samples=samples, tolerance=tolerance)
    with torch.no_grad():
        gap = tolerance_gap(trained.flow, test[:_CHECKED], tolerance)
    return Distance(arm, seed, trained, report, gap)


def control_distances(target: Target, parts: Mapping[str, Frames]) -> dict[str, Estimate]:
    """KL(p|q) of the prior itself and of the Gaussian of largest likelihood."""
    assert target.log_z is not None
    test = parts["test"].double()
    energy = target.energy(test)
    controls: dict[str, GaussianDensity] = {
        "identity": identity(test),
        "fitted Gaussian": fitted_gaussian(parts["train"]),
    }
    return {
        name: kl_forward(control.log_prob(test), energy, target.log_z.value)
        for name, control in controls.items()
    }


def over_seeds(found: Sequence[Distance]) -> tuple[float, float]:
    """Mean and standard deviation over seeds of KL(p|q); the deviation of one seed is NaN."""
    values = [one.report.kl.value for one in found]
    return fmean(values), stdev(values) if len(values) > 1 else float("nan")


class _Seeded:
    """A trained flow whose samples come from one generator."""

    def __init__(self, trained: Trained, generator: torch.Generator) -> None:
        self._flow, self._generator = trained.flow, generator
        self.convention = trained.flow.convention

    def log_prob(self, x: Frames, divergence: str = "exact", tolerance: float = 1e-5) -> Tensor:
        return self._flow.log_prob(x, "exact", tolerance=tolerance)

    def sample(
        self, n: int, *, return_log_prob: bool = True, tolerance: float = 1e-5
    ) -> tuple[Tensor, Tensor | None]:
        return self._flow.sample(
            n, return_log_prob=return_log_prob, tolerance=tolerance, generator=self._generator
        )
