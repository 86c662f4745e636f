"""The report of a flow against a target, with an analytic flow in the place of a trained one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from intertwiner.errors import DataError
from intertwiner_enflow.datasets.excerpt import excerpt
from intertwiner_enflow.evaluation import (
    BelowFloor,
    GaussianDensity,
    evaluate_density,
    fitted_gaussian,
    identity,
)
from intertwiner_enflow.evaluation.density import tolerance_gap
from intertwiner_enflow.evaluation.estimators import kl_forward
from intertwiner_enflow.evaluation.modes import mode_coverage, short_pairs
from intertwiner_enflow.targets import DoubleWell, LennardJones


class Memory:
    """A density that draws true samples with their true log-density, shifted by `error`."""

    def __init__(self, x: Tensor, error: float = 0.0, lost: int = 0) -> None:
        self.x, self.error, self.lost = x, error, lost

    def log_prob(self, x: Tensor, divergence: str = "exact", tolerance: float = 1e-5) -> Tensor:
        target = DoubleWell()
        assert target.log_z is not None
        return -target.energy(x.double()) - target.log_z.value + self.error * (1 + tolerance)

    def sample(self, n: int, *, return_log_prob: bool = True, **_: Any) -> tuple[Tensor, Tensor]:
        x = self.x[-n:]
        log_q = self.log_prob(x)
        log_q[: self.lost] = torch.nan
        return x, log_q


def test_the_truth_itself_has_no_distance_and_full_weight() -> None:
    x = excerpt(DoubleWell())
    report = evaluate_density(Memory(x), DoubleWell(), x[:1000], samples=1000)
    assert report.kl.value == pytest.approx(0.0, abs=1e-5)
    assert report.ess == pytest.approx(1.0)
    assert report.forward_ess == pytest.approx(1.0)
    assert report.reliable
    assert report.energy_w2[0] < 3 * report.energy_w2[1]
    assert report.modes[0].raw < 0.05
    assert report.nll.value == pytest.approx(report.floor, abs=5 * report.nll.error)
    text = "\n".join(report.lines())
    assert "KL(p|q)" in text
    assert "UNRELIABLE" not in text


def test_a_log_density_one_nat_too_large_is_an_error() -> None:
    x = excerpt(DoubleWell())
    with pytest.raises(BelowFloor):
        evaluate_density(Memory(x, error=1.0), DoubleWell(), x[:1000], samples=1000)


def test_a_log_density_that_is_too_small_makes_importance_sampling_unreliable() -> None:
    x = excerpt(DoubleWell())
    report = evaluate_density(Memory(x, error=-1.0), DoubleWell(), x[:1000], samples=1000)
    assert report.kl.value == pytest.approx(1.0, abs=1e-4)
    assert not report.reliable
    assert "UNRELIABLE" in "\n".join(report.lines())


def test_lost_samples_are_counted_and_left_out() -> None:
    x = excerpt(DoubleWell())
    report = evaluate_density(Memory(x, lost=7), DoubleWell(), x[:500], samples=1010)
    assert report.failed == 7
    assert report.log_z.count == 1003
    with pytest.raises(DataError, match="none of 5"):
        evaluate_density(Memory(x, lost=5), DoubleWell(), x[:500], samples=5)


def test_controls_of_the_double_well_have_their_known_distances() -> None:
    x = excerpt(DoubleWell())
    target = DoubleWell()
    assert target.log_z is not None
    for control, nll in ((identity(x), 19.151), (fitted_gaussian(x), 13.056)):
        found = kl_forward(control.log_prob(x), torch.zeros(len(x)), 0.0)
        assert found.value == pytest.approx(nll, abs=4 * found.error + 0.01)


def test_the_gap_between_tolerances_is_seen() -> None:
    x = excerpt(DoubleWell())[:50]
    assert tolerance_gap(Memory(x), x) == 0.0
    assert tolerance_gap(Memory(x, error=-100.0), x, 1e-2) == pytest.approx(0.9, rel=1e-6)


def test_modes_of_true_samples_are_covered() -> None:
    x = excerpt(DoubleWell())
    even = torch.full((1000,), 1e-3, dtype=torch.float64)
    (found,) = mode_coverage(DoubleWell(), x[:1000], even, x[1000:])
    assert found.raw < 0.05
    assert found.raw == pytest.approx(found.reweighted)
    assert short_pairs(x).mean() / 6 == pytest.approx(DoubleWell.short_share, abs=0.02)
    target = LennardJones(13, pair="half")
    y = excerpt(target)
    gyration, neighbours = mode_coverage(target, y[:500], even[:500] * 2, y[500:])
    assert gyration.raw < 0.2
    assert neighbours.floor < 0.2
    noise, _ = GaussianDensity(13, 3).sample(500, generator=torch.Generator().manual_seed(0))
    assert mode_coverage(target, noise, even[:500] * 2, y)[1].raw > 0.3
