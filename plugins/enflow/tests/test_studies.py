"""Training within a budget: it learns, is the same for the same seed, and says what went wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from intertwiner.errors import RunError
from intertwiner_enflow.datasets.excerpt import excerpt
from intertwiner_enflow.evaluation import fitted_gaussian, kl_forward
from intertwiner_enflow.studies import budget
from intertwiner_enflow.studies.budget import Trained, train_within
from intertwiner_enflow.studies.settings import FAST, PAPER, named_settings
from intertwiner_enflow.targets import DoubleWell

SMALL = replace(FAST["dw4"], features=32, batch_size=64, average_decay=0.98)


class Clock:
    """A processor clock that ticks by one at every reading."""

    def __init__(self) -> None:
        self.now = 0.0

    def process_time(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> Trained:
    monkeypatch.setattr(budget, "time", Clock())
    settings = replace(SMALL, fine_tune_share=0.05, fine_tune_batch=32)
    return train_within(215.0, excerpt(DoubleWell())[:1000], settings, seed=0)


def test_two_hundred_steps_beat_the_gaussian(trained: Trained) -> None:
    target, x = DoubleWell(), excerpt(DoubleWell())[1000:1500]
    assert target.log_z is not None
    assert trained.matching_steps > 150
    assert trained.likelihood_steps > 3
    energy = target.energy(x.double())
    with torch.no_grad():
        found = kl_forward(trained.flow.log_prob(x, tolerance=1e-4), energy, target.log_z.value)
    control = kl_forward(fitted_gaussian(x).log_prob(x), energy, target.log_z.value)
    assert found.value < control.value - 10 * found.error


def test_a_seed_and_a_number_of_steps_give_the_same_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weights = []
    for seed in (0, 0, 1):
        monkeypatch.setattr(budget, "time", Clock())
        found = train_within(20.0, excerpt(DoubleWell())[:200], SMALL, seed)
        weights.append(torch.cat([p.detach().flatten() for p in found.flow.parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_training_goes_on_from_kept_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "time", Clock())
    x = excerpt(DoubleWell())[:200]
    kept = train_within(10.0, x, SMALL, 1).flow.state_dict()
    still = replace(SMALL, learning_rate=1e-9)
    found = train_within(10.0, x, still, 0, kept).flow.state_dict()
    for name, tensor in kept.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-5, atol=1e-6)


def test_a_loss_that_is_not_finite_names_its_step() -> None:
    x = excerpt(DoubleWell())[:100].clone()
    x[0] = torch.inf
    with pytest.raises(RunError, match="step 1: the loss is"):
        train_within(5.0, x, replace(SMALL, scaled=False, batch_size=100), seed=0)


def test_the_published_settings_are_likelihood_alone() -> None:
    assert named_settings("paper", "dw4") is PAPER
    assert PAPER.fine_tune_share == 1.0
    assert PAPER.steps == (0, 0)
    assert named_settings("fast", "dw4").fine_tune_share < 1.0
