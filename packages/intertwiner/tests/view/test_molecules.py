from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch_geometric.data import Data

from intertwiner.errors import DataError, RunError
from intertwiner.view import _child, _extra
from intertwiner.view.molecules import draw_molecules

matplotlib = pytest.importorskip("matplotlib")
pytest.importorskip("pyvista")

WATER = torch.tensor([[0.0, 0.0, 0.117], [0.0, 0.757, -0.469], [0.0, -0.757, -0.469]])
DIPOLE = torch.tensor([[0.0, 0.0, 1.85]])
VECTORS = {"true": [DIPOLE], "predicted": [DIPOLE * 0.9]}
PLATFORM = "VTK_DEFAULT_OPENGL_WINDOW"
BLUE, RED = (0.0, 0.45, 0.70), (0.9, 0.06, 0.06)


def water() -> Data:
    return Data(pos=WATER, z=torch.tensor([8, 1, 1]), name="water")


def nearest(out: Path, colour: tuple[float, float, float]) -> float:
    """How near the picture comes to a colour."""
    image = torch.from_numpy(matplotlib.image.imread(out)[:, :, :3].copy())
    return float((image - torch.tensor(colour)).abs().amax(dim=2).min())


@pytest.fixture
def no_graphics(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where every process that draws in 3D fails."""

    def fail(*_: object) -> bytes:
        raise _child.Unrendered("no graphics library")

    monkeypatch.setattr("intertwiner.view.molecules.render", fail)


def test_a_3d_picture_is_made_and_nothing_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    out = draw_molecules([water()], tmp_path / "water.png", vectors=VECTORS)
    assert out.read_bytes().startswith(b"\x89PNG")
    image = matplotlib.image.imread(out)
    assert min(image.shape[:2]) > 300
    assert image[0, 0, :3].min() == 1.0
    assert capfd.readouterr() == ("", "")
    if not caplog.records:  # with a graphics library: shaded, hence many colours
        assert len({tuple(pixel) for pixel in image[::4, ::4, :3].reshape(-1, 3)}) > 100


@pytest.mark.usefixtures("no_graphics")
def test_without_graphics_the_picture_is_flat_and_that_is_said_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = draw_molecules([water()], tmp_path / "water.png", vectors=VECTORS)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "no graphics library" in record.getMessage()
    assert "drawn flat" in record.getMessage()
    assert nearest(out, BLUE) < 0.05
    assert nearest(out, RED) < 0.05


def test_a_graphics_library_that_crashes_does_not_take_us_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    crash = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"]
    run = _child._run
    monkeypatch.setattr(_child, "_run", lambda _: run(crash))
    assert draw_molecules([water()], tmp_path / "water.png").is_file()
    assert "ended by SIGSEGV" in caplog.text


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit('no display')", "exit code 1: no display"),
        ("", "without a picture"),
        ("import time; time.sleep(60)", "no picture after 0.5 s"),
    ],
)
def test_every_way_of_failing_to_draw_has_its_reason(
    monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    monkeypatch.setattr(_child, "TIMEOUT", 0.5 if "sleep" in code else 60.0)
    run = _child._run
    monkeypatch.setattr(_child, "_run", lambda _: run([sys.executable, "-c", code]))
    scene = _child.Scene(1, 1, 2.0, 2.0, 1.0)
    with pytest.raises(_child.Unrendered, match=reason):
        _child.render(scene)


def test_a_blank_picture_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    Figure().savefig(tmp_path / "blank.png")
    copy = "import shutil, sys; shutil.copy(*sys.argv[1:])"

    def run(command: list[str]) -> None:
        blank = str(tmp_path / "blank.png")
        subprocess.run([sys.executable, "-c", copy, blank, command[-1]], check=True)

    monkeypatch.setattr(_child, "_run", run)
    with pytest.raises(_child.Unrendered, match="blank"):
        _child.render(_child.Scene(1, 1, 2.0, 2.0, 1.0))


@pytest.mark.usefixtures("no_graphics")
def test_many_molecules_make_a_larger_picture(tmp_path: Path) -> None:
    one = draw_molecules([water()], tmp_path / "one.png")
    six = draw_molecules([water()] * 6, tmp_path / "six.png")
    sizes = [matplotlib.image.imread(path).shape for path in (one, six)]
    assert sizes[1][0] * sizes[1][1] > sizes[0][0] * sizes[0][1]


@pytest.mark.usefixtures("no_graphics")
@pytest.mark.parametrize("missing", [None, ["a label"]])
def test_labels_names_and_neither_are_drawn(tmp_path: Path, missing: list[str] | None) -> None:
    record = Data(pos=WATER, z=torch.tensor([8, 1, 1]))
    assert draw_molecules([record], tmp_path / "water.png", labels=missing).is_file()


@pytest.mark.usefixtures("no_graphics")
def test_a_page_that_cannot_be_made_says_so_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"water\.html.*no graphics library.*write a PNG"):
        draw_molecules([water()], tmp_path / "water.html")
    assert list(tmp_path.iterdir()) == []


def test_vectors_and_labels_must_be_one_for_each_molecule(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="vectors 'true': 1 for 2 molecules"):
        draw_molecules([water()] * 2, tmp_path / "x.png", vectors=VECTORS)
    with pytest.raises(DataError, match="labels: 3 for 2 molecules"):
        draw_molecules([water()] * 2, tmp_path / "x.png", labels=["a"] * 3)
    with pytest.raises(DataError, match="no molecules to draw"):
        draw_molecules([], tmp_path / "x.png")


def test_a_vector_must_have_three_components(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'water': vector 'true' has 2 components"):
        draw_molecules([water()], tmp_path / "x.png", vectors={"true": [torch.zeros(2)]})


@pytest.mark.parametrize("module", ["matplotlib", "pyvista"])
def test_without_the_extra_the_install_line_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    found = _extra.importlib.util.find_spec
    monkeypatch.setattr(
        _extra.importlib.util, "find_spec", lambda name: None if name == module else found(name)
    )
    with pytest.raises(RunError, match=rf"needs {module}.*pip install 'intertwiner\[viz\]'"):
        draw_molecules([water()], tmp_path / "water.png")


def test_importing_the_views_brings_no_heavy_library() -> None:
    code = (
        "import sys;"
        "import intertwiner.view.molecules, intertwiner.view.curves, intertwiner.view.report;"
        "sys.exit(bool({'matplotlib', 'pyvista', 'vtk', 'torch'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
