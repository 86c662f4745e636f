"""Pictures are written whole, and say what they need."""

from __future__ import annotations

import pytest
import torch

from intertwiner_steerable3d.data.environments import Environments
from intertwiner_steerable3d.data.made_up import helix
from intertwiner_steerable3d.errors import InvalidInput
from intertwiner_steerable3d.layers.convolution import SteerableConv3d
from intertwiner_steerable3d.view.kernels import first_kernels
from intertwiner_steerable3d.view.residues import (
    draw_confusion,
    draw_environments,
    draw_learning,
)
from intertwiner_steerable3d.view.volumes import draw_volumes

PNG = b"\x89PNG"


def test_surroundings_confusions_and_curves_are_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'intertwiner[viz]'")
    made = Environments(helix("h", 6, torch.Generator().manual_seed(0)), torch.arange(6), 8.0)
    odds = torch.full((20,), 0.05)
    drawn = (
        draw_environments([("h:1", made[0], odds, 3)], tmp_path / "one.png"),
        draw_confusion(torch.eye(20).long(), tmp_path / "two.png"),
        draw_learning({"counts": {100: 0.2, 1000: 0.3}}, tmp_path / "three.png"),
    )
    for path in drawn:
        assert path.read_bytes().startswith(PNG)


def test_volumes_are_drawn_by_a_process_of_their_own(tmp_path):
    pytest.importorskip("pyvista", reason="needs pyvista: pip install 'intertwiner[viz]'")
    axis = torch.linspace(-2, 2, 15)
    x, y, z = torch.meshgrid(axis, axis, axis, indexing="ij")
    field = x * torch.exp(-(x**2 + y**2 + z**2))
    out = draw_volumes({"a vector": field, "none": torch.zeros_like(field)}, tmp_path / "v.png")
    assert out.read_bytes().startswith(PNG)


def test_volumes_of_several_shapes_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="give some of one shape"):
        draw_volumes({"a": torch.zeros(3, 3, 3), "b": torch.zeros(4, 4, 4)}, tmp_path / "v.png")


def test_kernels_of_an_order_have_its_components_and_one_size():
    layer = SteerableConv3d((1,), (3, 2, 1), 5)
    found = first_kernels(torch.nn.Sequential(layer))
    assert len(found) == 1 + 3 + 5
    torch.testing.assert_close(found["l = 1, 1"], layer.to_conv3d().weight[3, 0].detach())
    norms = [found[f"l = 1, {component}"].norm() for component in (1, 2, 3)]
    torch.testing.assert_close(norms[0], norms[1])
    with pytest.raises(InvalidInput, match="no steerable convolution"):
        first_kernels(torch.nn.Linear(1, 1))
