"""Pictures are drawn without a display and are not blank."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from intertwiner.errors import DataError, RunError
from intertwiner_enflow.datasets.excerpt import excerpt
from intertwiner_enflow.targets import DoubleWell, LennardJones
from intertwiner_enflow.viz import (
    draw_double_well,
    draw_film,
    draw_molecule_film,
    draw_molecule_grid,
    write_page,
)
from intertwiner_enflow.viz._raster import Canvas, colour

image = pytest.importorskip("matplotlib.image")
WATER = Data(
    z=torch.tensor([8, 1, 1]),
    pos=torch.tensor([[0.0, 0.0, 0.0], [0.757, 0.586, 0.0], [-0.757, 0.586, 0.0]]),
)


def is_drawn(path: Path) -> bool:
    return bool(image.imread(path).std() > 0.02)


def test_the_double_well_is_drawn(tmp_path: Path) -> None:
    x = excerpt(DoubleWell())
    weights = torch.full((600,), 1 / 600)
    assert is_drawn(draw_double_well(x[:300], x[300:900], weights, tmp_path / "dw4.png"))


def test_the_film_has_a_frame_for_every_time(tmp_path: Path) -> None:
    x = excerpt(LennardJones(13, pair="half"))[:3]
    assert is_drawn(draw_film(x, (1.0, 0.5, 0.0), tmp_path / "film.png"))


def test_a_molecule_on_its_way_is_drawn(tmp_path: Path) -> None:
    frames = [Data(z=WATER.z, pos=scale * WATER.pos) for scale in (0.3, 0.6, 1.0)]
    assert is_drawn(draw_molecule_film(frames, (1.0, 0.5, 0.0), tmp_path / "film.png"))


def test_molecules_are_drawn_and_unstable_atoms_are_ringed_red(tmp_path: Path) -> None:
    broken = Data(z=WATER.z, pos=3.0 * WATER.pos)
    red = []
    for name, record in (("water", WATER), ("broken", broken)):
        path = draw_molecule_grid({name: [record]}, tmp_path / f"{name}.png", count=1, columns=1)
        pixels = image.imread(path)[..., :3]
        red.append(int((np.abs(pixels - [1.0, 0.0, 0.0]).max(axis=-1) < 0.05).sum()))
        assert is_drawn(path)
    assert red[0] == 0
    assert red[1] > 50


def test_nothing_to_draw_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="sampled: no molecules"):
        draw_molecule_grid({"sampled": []}, tmp_path / "none.png")


def test_without_matplotlib_the_install_line_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"pip install 'intertwiner-enflow\[viz\]'"):
        draw_film(torch.randn(1, 3, 3), (0.0,), tmp_path / "none.png")


def test_the_nearer_ball_hides_the_farther_one() -> None:
    canvas = Canvas(4.0, 4.0, 20.0, (-2.0, 2.0))
    canvas.ball(np.array([0.0, 0.0, 1.0]), 0.5, colour("#ff0000"))
    canvas.ball(np.array([0.0, 0.0, -1.0]), 1.0, colour("#0000ff"))
    picture = canvas.picture()
    middle, rim = picture[40, 40], picture[40, 55]
    assert middle[0] > middle[2]
    assert rim[2] > rim[0]
    assert picture[1, 1].tolist() == [1.0, 1.0, 1.0]


def test_the_page_carries_its_frames_and_needs_no_network(tmp_path: Path) -> None:
    path = torch.stack([WATER.pos, 2 * WATER.pos])
    page = write_page(
        [path], (1.0, 0.0), tmp_path / "page.html", elements=[WATER.z], title="a </script> b"
    )
    text = page.read_text("utf-8")
    assert "{{" not in text
    assert "0.757" in text
    assert "http" not in text
    assert "a &lt;/script&gt; b" in text
    with pytest.raises(DataError, match="path 0 has 2 frames for 1 times"):
        write_page([path], (1.0,), tmp_path / "page.html")
    with pytest.raises(DataError, match="no paths"):
        write_page([], (1.0,), tmp_path / "page.html")
