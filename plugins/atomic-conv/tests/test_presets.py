"""Presets have exactly the parameters of the networks they are named for."""

from __future__ import annotations

import pytest
import torch

from intertwiner.schema import Schema
from intertwiner_atomic_conv import config as settings
from intertwiner_atomic_conv.model import build_network


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("PaperCoreConfig", 437_012),
        ("PaperRefinedConfig", 280_861),
        ("CoreConfig", 499_893),
        ("RefinedConfig", 302_078),
        ("DglCoreConfig", 3_073 + 9),
        ("DglRefinedConfig", 40_961 + 15),
    ],
)
def test_parameter_counts(kind: str, parameters: int, schema: Schema) -> None:
    network = build_network(getattr(settings, kind)(), schema)
    found = sum(parameter.numel() for parameter in network.parameters())
    assert found - (network.offset is not None) == parameters


def test_weights_are_drawn_from_a_cut_normal_distribution(schema: Schema) -> None:
    torch.manual_seed(0)
    networks = build_network(settings.PaperCoreConfig(), schema).convolution.networks
    for weight, deviation in zip(
        networks.weights, (32**-0.5, 32**-0.5, 16**-0.5, 0.01), strict=True
    ):
        assert float(weight.detach().abs().max()) <= 2 * deviation * (1 + 1e-6)
        assert float(weight.detach().std()) == pytest.approx(0.88 * deviation, rel=0.1)
    assert all(not bias.detach().any() for bias in networks.biases)
