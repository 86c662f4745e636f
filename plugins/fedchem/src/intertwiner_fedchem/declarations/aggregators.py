"""The aggregators of this plugin: rules of the server, and losses of the clients."""

from __future__ import annotations

from typing import Any, Final

from intertwiner.specs import AggregatorSpec

__all__ = ["AGGREGATORS"]

_RULES: Final = "intertwiner_fedchem.aggregators"
_LOSSES: Final = "intertwiner_fedchem.objectives"


def _own(name: str, summary: str, reference: str, target: str, **more: Any) -> AggregatorSpec:
    module, _, made = target.partition(":")
    settings = f"{_RULES}.config:{made}Config"
    given = {"config": settings, "target": f"{_RULES}.{module}:{made}", **more}
    return AggregatorSpec(name=name, summary=summary, reference=reference, **given)


def _flower(name: str, settings: str, summary: str, reference: str, **more: Any) -> AggregatorSpec:
    """A strategy of Flower's."""
    return AggregatorSpec(
        name=name,
        summary=summary,
        reference=reference,
        target=f"{_RULES}.strategies:{name}",
        config=f"{_RULES}.config:{settings}",
        requires=("flwr",),
        **more,
    )


def _loss(name: str, made: str, summary: str, reference: str) -> AggregatorSpec:
    """A loss of the clients; the server takes the weighted mean."""
    return AggregatorSpec(
        name=name,
        summary=summary,
        reference=reference,
        target=f"{_RULES}.mean:FedAvg",
        config=f"{_LOSSES}.config:{made}Config",
        client_objective=f"{_LOSSES}.methods:{name.replace('-', '_')}",
        convex=True,
    )


_ROBUST: Final = {"convex": True}

AGGREGATORS: Final[tuple[AggregatorSpec, ...]] = (
    _own("fedavg", "mean by numbers of examples", "arXiv:1602.05629", "mean:FedAvg", convex=True),
    _own(
        "geometric-median",
        "the point of least distance to all clients",
        "arXiv:1912.13445",
        "geometric:GeometricMedian",
        convex=True,
    ),
    _own(
        "fednova",
        "mean of updates divided by numbers of steps",
        "arXiv:2007.07481",
        "nova:FedNova",
        needs=("steps",),
    ),
    _flower("fedavgm", "FedAvgMConfig", "mean with a momentum of the server", "arXiv:1909.06335"),
    _flower("fedadagrad", "FedAdagradConfig", "Adagrad of the server", "arXiv:2003.00295"),
    _flower("fedadam", "FedAdamConfig", "Adam of the server", "arXiv:2003.00295"),
    _flower("fedyogi", "FedYogiConfig", "Yogi of the server", "arXiv:2003.00295"),
    _flower("fedmedian", "FedMedianConfig", "median of each number", "arXiv:1803.01498", **_ROBUST),
    _flower(
        "fedtrimmedavg",
        "FedTrimmedAvgConfig",
        "mean of each number without its extremes",
        "arXiv:1803.01498",
        **_ROBUST,
    ),
    _flower("krum", "KrumConfig", "the most central update", "arXiv:1703.02757", **_ROBUST),
    _flower(
        "multikrum",
        "MultiKrumConfig",
        "mean of the most central updates",
        "arXiv:1703.02757",
        **_ROBUST,
    ),
    _flower(
        "bulyan",
        "BulyanConfig",
        "mean of what lies nearest to the median of central updates",
        "arXiv:1802.07927",
        **_ROBUST,
    ),
    _flower(
        "qfedavg",
        "QFedAvgConfig",
        "step that weighs clients by their losses",
        "arXiv:1905.10497",
        needs=("loss",),
    ),
    AggregatorSpec(
        name="fedavg-dp",
        summary="plain mean of clipped updates with noise: differential privacy of clients",
        reference="arXiv:1710.06963",
        target="intertwiner_fedchem.privacy.averaging:PrivateAvg",
        config="intertwiner_fedchem.privacy.config:PrivateAvgConfig",
        noisy=True,
    ),
    _loss("fedprox", "FedProx", "clients held near the global weights", "arXiv:1812.06127"),
    _loss("moon", "Moon", "clients' embeddings held near the global ones", "arXiv:2103.16257"),
    _loss("fedfocal", "FedFocal", "records of large loss weigh more", "arXiv:2011.06283"),
    _loss("fedvat", "FedVAT", "loss and virtual adversarial loss", "arXiv:2109.07258"),
    _loss("flit", "FLIT", "records the global model knows better weigh more", "arXiv:2109.07258"),
    _loss("flit-plus", "FLITPlus", "FLIT with adversarial losses", "arXiv:2109.07258"),
)
