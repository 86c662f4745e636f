"""What an aggregator cannot work with is said before anything is trained."""

from __future__ import annotations

import sys

import pytest

from intertwiner.config import build
from intertwiner.errors import ConfigError
from intertwiner.federated.settings import FederationConfig
from intertwiner.training.settings import TrainingConfig
from intertwiner_fedchem.aggregators import strategies
from intertwiner_fedchem.aggregators.config import (
    BulyanConfig,
    FedMedianConfig,
    FedNovaConfig,
    KrumConfig,
    MultiKrumConfig,
)
from intertwiner_fedchem.aggregators.nova import FedNova


def test_krum_and_bulyan_say_how_many_updates_they_need():
    assert strategies.krum(KrumConfig(malicious=2)).fewest == 7
    assert strategies.multikrum(MultiKrumConfig(malicious=0, selected=6)).fewest == 6
    assert strategies.bulyan(BulyanConfig(malicious=1)).fewest == 7


def test_fednova_refuses_unequal_steps_of_an_adaptive_optimiser():
    check = FedNova(FedNovaConfig()).check
    with pytest.raises(ConfigError, match=r"optimizer adamw; use --federation\.optimizer sgd"):
        check(FederationConfig(), TrainingConfig())
    check(FederationConfig(optimizer="sgd"), TrainingConfig())
    check(FederationConfig(local_steps=3), TrainingConfig())


def test_without_flower_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "flwr.serverapp", None)
    with pytest.raises(ConfigError, match=r"intertwiner-fedchem\[flower\]"):
        strategies.fedmedian(FedMedianConfig())


@pytest.mark.parametrize("text", ["-1", "0.5", "nan"])
def test_a_share_to_cut_that_leaves_nobody_is_refused(text):
    from intertwiner_fedchem.aggregators.config import FedTrimmedAvgConfig

    with pytest.raises(ConfigError, match="cut"):
        build(FedTrimmedAvgConfig, {"cut": text}, "aggregator")
