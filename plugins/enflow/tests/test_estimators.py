"""Estimators on two Gaussians whose distance is known in closed form."""

from __future__ import annotations

import math
import warnings

import pytest
import torch

from intertwiner.errors import DataError
from intertwiner_enflow.evaluation import (
    BelowFloor,
    Estimate,
    GaussianDensity,
    check_floor,
    effective_sample_size,
    fitted_gaussian,
    forward_effective_sample_size,
    kl_forward,
    kl_reverse,
    log_z_by_importance,
    reweighted_mean,
    wasserstein,
)

DOF, COUNT, WIDTH = 6, 40_000, 1.2
LOG_Z = 0.5 * DOF * math.log(2 * math.pi)


def energy(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * x.double().square().sum(dim=(1, 2))


@pytest.fixture
def pair() -> dict[str, torch.Tensor]:
    """log q and U of samples of p (unit Gaussian) and of q (width 1.2), on 4 points in 2D."""
    generator = torch.Generator().manual_seed(0)
    p, q = GaussianDensity(4, 2), GaussianDensity(4, 2, WIDTH)
    x, _ = p.sample(COUNT, generator=generator)
    y, log_q = q.sample(COUNT, return_log_prob=True, generator=generator)
    assert log_q is not None
    return {"log_p": q.log_prob(x), "u_p": energy(x), "log_q": log_q, "u_q": energy(y)}


def test_divergences_are_those_of_the_closed_form(pair: dict[str, torch.Tensor]) -> None:
    forward = kl_forward(pair["log_p"], pair["u_p"], LOG_Z)
    reverse = kl_reverse(pair["log_q"], pair["u_q"], LOG_Z)
    ratio = WIDTH**2
    assert forward.value == pytest.approx(
        0.5 * DOF * (1 / ratio - 1 + math.log(ratio)), abs=4 * forward.error
    )
    assert reverse.value == pytest.approx(
        0.5 * DOF * (ratio - 1 - math.log(ratio)), abs=4 * reverse.error
    )
    assert 0 < forward.error < 0.01


def test_weights_find_the_normaliser_and_the_effective_sample_size(
    pair: dict[str, torch.Tensor],
) -> None:
    found = log_z_by_importance(pair["log_q"], pair["u_q"])
    assert found.value == pytest.approx(LOG_Z, abs=4 * found.error)
    ratio = WIDTH**2
    expected = ((2 * ratio - 1) / ratio**2) ** (DOF / 2)
    assert effective_sample_size(pair["log_q"], pair["u_q"]) == pytest.approx(expected, abs=0.02)
    forward = forward_effective_sample_size(pair["log_p"], pair["u_p"])
    assert forward == pytest.approx(expected, abs=0.02)
    mean = reweighted_mean(pair["u_q"], pair["log_q"], pair["u_q"])
    assert mean.value == pytest.approx(DOF / 2, abs=4 * mean.error)


def test_a_perfect_density_has_no_distance() -> None:
    p = GaussianDensity(4, 2)
    x, log_q = p.sample(2_000, return_log_prob=True, generator=torch.Generator().manual_seed(1))
    assert log_q is not None
    assert kl_forward(log_q, energy(x), LOG_Z).value == pytest.approx(0.0, abs=1e-6)
    assert effective_sample_size(log_q, energy(x)) == pytest.approx(1.0)
    assert log_z_by_importance(log_q, energy(x)).value == pytest.approx(LOG_Z, abs=1e-6)


def test_a_tampered_log_density_falls_below_the_floor() -> None:
    p = GaussianDensity(4, 2)
    x, log_q = p.sample(2_000, return_log_prob=True, generator=torch.Generator().manual_seed(1))
    assert log_q is not None
    good = kl_forward(log_q, energy(x), LOG_Z)
    assert check_floor(good) is good
    with pytest.raises(BelowFloor, match="below the entropy floor"):
        check_floor(kl_forward(log_q + 1.0, energy(x), LOG_Z))
    assert check_floor(Estimate(-0.05, 0.02, 100)).value == -0.05


def test_infinite_energy_has_weight_zero_and_a_lost_log_density_is_an_error() -> None:
    log_q, u = torch.zeros(2_000), torch.zeros(2_000)
    u[3] = torch.inf
    assert effective_sample_size(log_q, u) == pytest.approx(1_999 / 2_000)
    assert kl_reverse(log_q, u, 0.0).value == math.inf
    assert math.isfinite(reweighted_mean(u, log_q, u).value)
    log_q[5] = torch.nan
    with pytest.raises(DataError, match="log q of sample 5 is nan"):
        effective_sample_size(log_q, u)


def test_few_samples_are_warned_about() -> None:
    with pytest.warns(UserWarning, match="draw at least 1000"):
        effective_sample_size(torch.zeros(16), torch.zeros(16))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        effective_sample_size(torch.zeros(1_000), torch.zeros(1_000))


def test_the_fitted_gaussian_has_the_width_of_the_data() -> None:
    x, _ = GaussianDensity(13, 3, 1.7).sample(4_000, generator=torch.Generator().manual_seed(0))
    assert fitted_gaussian(x + 5.0).sigma == pytest.approx(1.7, rel=0.01)


def test_a_gaussian_integrates_to_one_on_the_subspace() -> None:
    """Two points in the plane: x = (y, -y) / sqrt 2 with y in the plane."""
    axis = torch.linspace(-8.0, 8.0, 161, dtype=torch.float64)
    y = torch.cartesian_prod(axis, axis)
    x = torch.stack([y, -y], dim=1) / math.sqrt(2.0)
    density = GaussianDensity(2, 2, 1.3).log_prob(x).exp()
    assert float(density.sum() * (axis[1] - axis[0]) ** 2) == pytest.approx(1.0, abs=1e-8)


def test_the_wasserstein_distance_of_shifted_sets_is_the_shift() -> None:
    values = torch.randn(1_000, generator=torch.Generator().manual_seed(0))
    assert wasserstein(values, values) == 0.0
    assert wasserstein(values, values + 0.7) == pytest.approx(0.7, rel=1e-6)
    with_gap = torch.cat([values, torch.tensor([torch.inf])])
    assert wasserstein(values, with_gap) == 0.0
