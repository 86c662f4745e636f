"""Flower's strategies with their settings, and how many updates each needs."""

from __future__ import annotations

from typing import Any

from intertwiner_fedchem.aggregators.config import (
    BulyanConfig,
    FedAdagradConfig,
    FedAdamConfig,
    FedAvgMConfig,
    FedMedianConfig,
    FedTrimmedAvgConfig,
    FedYogiConfig,
    KrumConfig,
    MultiKrumConfig,
    QFedAvgConfig,
)
from intertwiner_fedchem.aggregators.flower import FlowerStrategy

__all__ = [
    "bulyan",
    "fedadagrad",
    "fedadam",
    "fedavgm",
    "fedmedian",
    "fedtrimmedavg",
    "fedyogi",
    "krum",
    "multikrum",
    "qfedavg",
]

MOMENTS = {"m_t": "first", "v_t": "second"}


def fedavgm(config: FedAvgMConfig) -> FlowerStrategy:
    """s <- beta s - Delta, theta <- theta - eta s with Delta the mean update (Hsu et al. 2019,
    arXiv:1909.06335).
    """
    return FlowerStrategy(
        lambda flower: flower.FedAvgM(
            server_learning_rate=config.learning_rate, server_momentum=config.momentum
        ),
        kept={"momentum_vector": "momentum"},
    )


def fedadagrad(config: FedAdagradConfig) -> FlowerStrategy:
    """v <- v + Delta^2, theta <- theta + eta Delta / (sqrt(v) + tau) (Reddi et al. 2021,
    arXiv:2003.00295), with v = 0 at the start, as Flower has it.
    """
    return FlowerStrategy(
        lambda flower: flower.FedAdagrad(eta=config.learning_rate, tau=config.tau), kept=MOMENTS
    )


def _adaptive(name: str, config: FedAdamConfig) -> FlowerStrategy:
    def make(flower: Any) -> Any:
        return getattr(flower, name)(
            eta=config.learning_rate, beta_1=config.beta_1, beta_2=config.beta_2, tau=config.tau
        )

    return FlowerStrategy(make, kept=MOMENTS)


def fedadam(config: FedAdamConfig) -> FlowerStrategy:
    """m, v: running means of Delta and Delta^2; theta <- theta + eta_t m / (sqrt(v) + tau), where
    Flower's eta_t = eta sqrt(1 - beta_2^(t+1)) / (1 - beta_1^(t+1)) differs from Reddi et al.
    2021, who correct no bias.
    """
    return _adaptive("FedAdam", config)


def fedyogi(config: FedYogiConfig) -> FlowerStrategy:
    """As FedAdam, with v <- v - (1 - beta_2) Delta^2 sign(v - Delta^2) and eta constant."""
    return _adaptive("FedYogi", config)


def fedmedian(config: FedMedianConfig) -> FlowerStrategy:
    """The median of the clients, number by number and without weights (arXiv:1803.01498)."""
    return FlowerStrategy(lambda flower: flower.FedMedian())


def fedtrimmedavg(config: FedTrimmedAvgConfig) -> FlowerStrategy:
    """The mean without the int(cut * n) largest and smallest, number by number
    (arXiv:1803.01498).
    """
    return FlowerStrategy(lambda flower: flower.FedTrimmedAvg(beta=config.cut))


def krum(config: KrumConfig) -> FlowerStrategy:
    """The one update that lies closest to its n - f - 2 nearest (Blanchard et al. 2017,
    arXiv:1703.02757), which needs n >= 2 f + 3.
    """
    return FlowerStrategy(
        lambda flower: flower.Krum(num_malicious_nodes=config.malicious),
        fewest=2 * config.malicious + 3,
    )


def multikrum(config: MultiKrumConfig) -> FlowerStrategy:
    """The mean, weighted by examples, of the `selected` best updates by the measure of Krum."""
    return FlowerStrategy(
        lambda flower: flower.MultiKrum(
            num_malicious_nodes=config.malicious, num_nodes_to_select=config.selected
        ),
        fewest=max(2 * config.malicious + 3, config.selected + config.malicious),
    )


def bulyan(config: BulyanConfig) -> FlowerStrategy:
    """Of the n - 2 f best updates by Krum, the mean of the n - 4 f numbers nearest to the median
    (El Mhamdi et al. 2018, arXiv:1802.07927), which needs n >= 4 f + 3.
    """
    return FlowerStrategy(
        lambda flower: flower.Bulyan(num_malicious_nodes=config.malicious),
        fewest=4 * config.malicious + 3,
    )


def qfedavg(config: QFedAvgConfig) -> FlowerStrategy:
    """theta <- theta - sum_k F_k^q L (theta - theta_k) / sum_k h_k with the clients' losses F_k
    (Li et al. 2020, arXiv:1905.10497).
    """
    return FlowerStrategy(
        lambda flower: flower.QFedAvg(
            client_learning_rate=config.client_learning_rate, q=config.q, train_loss_key="loss"
        )
    )
