"""Private averaging: the bound on one client, the noise, the account, and what is refused."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from intertwiner.errors import ConfigError
from intertwiner.federated import RoundContext, Update
from intertwiner.federated.settings import FederationConfig
from intertwiner.training.settings import TrainingConfig
from intertwiner_fedchem.privacy.accounting import epsilon_of, releases_within
from intertwiner_fedchem.privacy.averaging import PrivateAvg, clipped
from intertwiner_fedchem.privacy.config import PrivateAvgConfig


def context(number: int = 0) -> RoundContext:
    generator = torch.Generator().manual_seed(number)
    return RoundContext(round=number, expected=(), clients=2, generator=generator)


def joined(config: PrivateAvgConfig, changes, number: int = 0, start: float = 5.0):
    rule = PrivateAvg(config)
    present = {"w": torch.full_like(changes[0], start)}
    updates = [
        Update(client=f"c{n}", arrays={"w": present["w"] + change}, num_examples=10 ** (n + 1))
        for n, change in enumerate(changes)
    ]
    return rule.aggregate(updates, present, rule.init(present), context(number))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.floats(1e-3, 1e3))
def test_no_change_is_longer_than_the_clip_and_short_ones_stay_as_they_are(numbers, most):
    change = torch.tensor(numbers, dtype=torch.float64)
    found = clipped(change, most)
    assert float(found.norm()) <= most * (1 + 1e-12)
    if float(change.norm()) <= most:
        assert torch.equal(found, change)


def test_without_noise_it_is_the_plain_mean_of_clipped_changes_whatever_the_examples():
    changes = [torch.tensor([3.0, 4.0], dtype=torch.float64), torch.zeros(2, dtype=torch.float64)]
    found = joined(PrivateAvgConfig(noise=0.0), changes)
    expected = 5 + torch.tensor([0.3, 0.4], dtype=torch.float64)
    torch.testing.assert_close(found.arrays["w"], expected)
    assert found.metrics == {"epsilon": math.inf, "clipped": 0.5}


def test_the_noise_has_the_deviation_it_must_have():
    changes = [torch.zeros(100_000, dtype=torch.float64)] * 4
    found = joined(PrivateAvgConfig(noise=2.0, clip=3.0), changes).arrays["w"] - 5
    expected = 2.0 * 3.0 / 4
    assert abs(float(found.std()) / expected - 1) < 3 / math.sqrt(2 * 100_000)
    assert abs(float(found.mean())) < 3 * expected / math.sqrt(100_000)


def test_noise_is_another_in_every_round_and_the_same_when_a_round_is_repeated():
    config, changes = PrivateAvgConfig(), [torch.zeros(3)] * 2
    one, again, other = (joined(config, changes, number).arrays["w"] for number in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_the_account_grows_with_releases_and_is_kept_in_the_state():
    rule, present = PrivateAvg(PrivateAvgConfig()), {"w": torch.zeros(2)}
    update = Update(client="c", arrays=present, num_examples=1)
    state, spent = rule.init(present), []
    for number in range(3):
        found = rule.aggregate([update], present, state, context(number))
        state = found.state
        spent.append(found.metrics["epsilon"])
    assert spent == sorted(spent)
    assert spent[2] == epsilon_of(1.0, 3, 1e-5)
    assert dict(state) == {"releases": 3}


def exact(noise: float, epsilon: float) -> float:
    """The delta of one Gaussian release (Balle and Wang 2018, arXiv:1805.06530, theorem 8)."""

    def normal(x: float) -> float:
        return math.erfc(-x / math.sqrt(2)) / 2

    half, shift = 1 / (2 * noise), epsilon * noise
    return normal(half - shift) - math.exp(epsilon) * normal(-half - shift)


@pytest.mark.parametrize("noise", [0.8, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("releases", [1, 10, 100])
def test_epsilon_is_no_less_than_the_exact_one_and_not_much_more(noise, releases):
    """Releases of Gaussian noise compose to one with noise / sqrt(releases)."""
    bound, combined = epsilon_of(noise, releases, 1e-5), noise / math.sqrt(releases)
    assert exact(combined, bound) <= 1e-5
    assert exact(combined, 0.8 * bound) > 1e-5


def test_edges_of_the_account():
    assert epsilon_of(1.0, 0, 1e-5) == 0.0
    assert epsilon_of(0.0, 1, 1e-5) == math.inf
    count = releases_within(4.0, 2.0, 1e-5)
    assert epsilon_of(4.0, count, 1e-5) <= 2.0 < epsilon_of(4.0, count + 1, 1e-5)


def test_a_run_that_would_spend_too_much_is_refused_with_the_rounds_it_could_have():
    rule = PrivateAvg(PrivateAvgConfig(noise=4.0, max_epsilon=2.0))
    possible = releases_within(4.0, 2.0, 1e-5)
    rule.check(FederationConfig(rounds=possible), TrainingConfig())
    with pytest.raises(ConfigError, match=rf"1000 rounds with noise 4.0 .* take {possible} rounds"):
        rule.check(FederationConfig(rounds=1000), TrainingConfig())
