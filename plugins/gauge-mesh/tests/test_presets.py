"""The published networks have the published numbers of parameters, and run."""

from __future__ import annotations

import pytest
import torch

from intertwiner_gauge_mesh.errors import InvalidSetting
from intertwiner_gauge_mesh.layers.exchange import pack
from intertwiner_gauge_mesh.layers.matrix_features import matrix_channels
from intertwiner_gauge_mesh.presets import PRESETS, make_preset


@pytest.mark.parametrize(("name", "counts"), PRESETS.items())
def test_numbers_of_parameters_are_those_published(name, counts):
    network = make_preset(name, 0.1)
    convolutions = sum(parameter.numel() for parameter in network.trunk.parameters())
    assert (convolutions, sum(p.numel() for p in network.parameters())) == counts


@pytest.mark.parametrize("name", PRESETS)
def test_they_run_on_a_mesh(make_plan, name):
    plan = make_plan("bumpy_sphere", 2)
    network = make_preset(name, 0.4, classes=6).double().eval()
    x = plan.pos if name in ("faust-direct", "faust-paper") else pack(matrix_channels(plan))
    out = network(x, plan)
    assert out.shape == ((1, 6) if name == "shapes" else (plan.vertices, 6))
    assert bool(torch.isfinite(out).all())


def test_another_name_is_refused():
    with pytest.raises(InvalidSetting, match="choose one of faust-direct"):
        make_preset("faust", 0.1)
