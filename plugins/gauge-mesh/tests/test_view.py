"""Pictures of fields: not blank, of the right kind, and replaced by a file where none can be."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from torch_geometric.data import Data

from intertwiner.errors import DataError, RunError
from intertwiner_gauge_mesh.datasets.shapes import random_shape
from intertwiner_gauge_mesh.readers.vtk import VtkReader
from intertwiner_gauge_mesh.view import panels
from intertwiner_gauge_mesh.view.fields import difference, layer_of
from intertwiner_gauge_mesh.view.vtk_text import vtk_text


def record() -> Data:
    shape = random_shape("torus", 162, "regular", 1)
    return Data(
        pos=shape.points.float(),
        face=shape.faces.T.contiguous(),
        name="torus",
        num_nodes=len(shape.points),
    )


def field(width: int) -> torch.Tensor:
    values = torch.randn(160, width, generator=torch.Generator().manual_seed(1))
    return values[:, 0] if width == 1 else values


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("pyvista", "matplotlib")),
    reason="extra 'viz' is not installed",
)
def test_three_panels_are_drawn_with_many_colours(tmp_path: Path) -> None:
    from matplotlib.image import imread

    out = tmp_path / "panels.png"
    try:
        panels.draw_panels(record(), {"lines": (field(5), field(5).roll(1, 0))}, out, title="lines")
    except RunError as error:
        pytest.skip(f"no picture can be made here: {error}")
    picture = imread(out)
    colours = {tuple(row) for row in picture.reshape(-1, picture.shape[2])[::3].tolist()}
    assert len(colours) > 1000


def test_without_pyvista_the_fields_are_written_for_other_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panels.importlib.util, "find_spec", lambda _: None)
    out = tmp_path / "panels.png"
    with pytest.raises(RunError, match=r"\[viz\].*panels\.vtk"):
        panels.draw_panels(record(), {"arrows": (field(3), field(3))}, out)
    assert not out.exists()
    (read,) = VtkReader()(tmp_path / "panels.vtk")
    torch.testing.assert_close(read.pos, record().pos)
    assert torch.equal(read.face, record().face)
    text = (tmp_path / "panels.vtk").read_text()
    assert "SCALARS target double 1" in text
    assert "VECTORS prediction_vectors double" in text


def test_lines_run_along_the_direction_of_the_larger_curvature() -> None:
    tensors = torch.zeros(1, 5)
    tensors[0, 4] = 2.0
    layer = layer_of("lines", tensors, 1)
    assert layer.vectors is not None
    direction = abs(layer.vectors[0] / layer.colour[0])
    assert direction == pytest.approx([0.0, 0.0, 1.0], abs=1e-6)
    assert not layer.heads


def test_errors_are_distances_and_wrong_classes() -> None:
    one, two = field(3), field(3) + torch.tensor([3.0, 0.0, 4.0])
    layers = [layer_of("arrows", values, 160) for values in (one, two)]
    assert difference(*layers, (one, two)).colour == pytest.approx([5.0] * 160, rel=1e-5)
    labels = torch.arange(160) % 7, torch.zeros(160, dtype=torch.long)
    layers = [layer_of("classes", values, 160) for values in labels]
    wrong = difference(*layers, labels)
    assert wrong.classes
    assert wrong.colour.sum() == int((labels[0] != 0).sum())


def test_fields_of_another_shape_and_other_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be drawn on 160 vertices"):
        layer_of("scalar", torch.zeros(3), 160)
    with pytest.raises(DataError, match="cannot be drawn"):
        layer_of("arrows", torch.zeros(160, 2), 160)
    with pytest.raises(DataError, match="PNG"):
        panels.draw_field(record(), {"scalar": field(1)}, tmp_path / "x.jpg")
    assert vtk_text(record(), {"a b": layer_of("scalar", field(1), 160)}).count(b"a_b") == 1
