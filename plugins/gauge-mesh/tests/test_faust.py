"""FAUST from the user's archive: labels are vertices of the template, shuffled ones go along."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from intertwiner.errors import ConfigError, DataError
from intertwiner.registry import load_registry
from intertwiner.specs import Scale
from intertwiner.training.recipes import reproduce
from intertwiner_gauge_mesh.datasets import faust
from intertwiner_gauge_mesh.datasets.config import FaustConfig

HEAD = (
    "ply\nformat binary_little_endian 1.0\nelement vertex {v}\nproperty float x\n"
    "property float y\nproperty float z\nelement face {f}\n"
    "property list uchar int vertex_indices\nend_header\n"
)


def scan(vertices: int = faust.VERTICES, faces: int = 40) -> bytes:
    draw = np.random.default_rng(0)
    corners = np.arange(faces)[:, None] + np.arange(3)
    return ply(draw.standard_normal((vertices, 3)), corners)


def ply(points: np.ndarray, corners: np.ndarray) -> bytes:
    rows = b"".join(struct.pack("<B3i", 3, *map(int, row)) for row in corners)
    head = HEAD.format(v=len(points), f=len(corners)).encode()
    return head + points.astype("<f4").tobytes() + rows


def archive(path: Path, content: bytes, count: int = 100) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for number in range(count):
            opened.writestr(f"{faust.FOLDER}/tr_reg_{number:03d}.ply", content)
        opened.writestr("MPI-FAUST/README.txt", "hello")
    return path


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive(tmp_path_factory.mktemp("faust") / "MPI-FAUST.zip", scan())


def test_the_archive_gives_100_scans_whose_vertices_are_their_labels(zipped: Path) -> None:
    dataset = faust.load(FaustConfig(path=str(zipped)))
    assert len(dataset) == 100
    split = dataset.splits["official"]
    assert split["test"].tolist() == list(range(80, 100))
    assert sorted([*split["train"], *split["validation"]]) == list(range(80))
    assert dataset[99].correspondence.tolist() == list(range(faust.VERTICES))
    assert dataset[0].face.shape == (3, 40)
    assert len(faust.archive_digest(zipped)) == 64


def test_shuffling_moves_labels_with_vertices_on_test_scans_only(zipped: Path) -> None:
    plain = faust.load(FaustConfig(path=str(zipped)))
    mixed = faust.load(FaustConfig(path=str(zipped), shuffle=True, rotate=True))
    assert torch.equal(plain[5].pos, mixed[5].pos)
    one, other = plain[90], mixed[90]
    order = other.correspondence
    assert order.tolist() != list(range(faust.VERTICES))
    assert sorted(order.tolist()) == list(range(faust.VERTICES))
    lengths = [item.pos[item.face].diff(dim=0).norm(dim=2) for item in (one, other)]
    torch.testing.assert_close(lengths[0], lengths[1], rtol=1e-4, atol=1e-4)
    assert torch.equal(order[other.face], one.face)
    assert not torch.allclose(one.pos[order], other.pos, atol=0.1)


def test_another_archive_is_refused_and_the_missing_scan_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="MPI-FAUST"):
        faust.load(FaustConfig(path=""))
    with pytest.raises(DataError, match="no such file"):
        faust.load(FaustConfig(path=str(tmp_path / "absent.zip")))
    short = archive(tmp_path / "short.zip", scan(), count=7)
    with pytest.raises(DataError, match=r"lacks 93 of 100 scans, the first is .*tr_reg_007"):
        faust.load(FaustConfig(path=str(short)))
    other = archive(tmp_path / "other.zip", scan(vertices=100))
    with pytest.raises(DataError, match="has 100 vertices, not 6890"):
        faust.load(FaustConfig(path=str(other)))
    (tmp_path / "text.zip").write_text("hello")
    with pytest.raises(DataError, match=r"text\.zip"):
        faust.load(FaustConfig(path=str(tmp_path / "text.zip")))


def test_an_unpacked_folder_is_read_too(tmp_path: Path) -> None:
    folder = tmp_path / faust.FOLDER
    folder.mkdir(parents=True)
    for number in range(100):
        (folder / f"tr_reg_{number:03d}.ply").write_bytes(scan())
    for place in (tmp_path, tmp_path / "MPI-FAUST"):
        assert len(faust.load(FaustConfig(path=str(place)))) == 100
    (folder / "tr_reg_050.ply").unlink()
    with pytest.raises(DataError, match="tr_reg_050"):
        faust.load(FaustConfig(path=str(tmp_path)))


def test_the_recipe_runs_on_an_archive_of_the_right_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_mesh: Callable[..., tuple]
) -> None:
    """Fourteen scans of 42 vertices; of the three arms the two that read coordinates."""
    for name, value in (("VERTICES", 42), ("_SCANS", 14), ("_TEST", 12)):
        monkeypatch.setattr(faust, name, value)
    pos, face = make_mesh("bumpy_sphere", 1)
    zipped = archive(tmp_path / "MPI-FAUST.zip", ply(pos.numpy(), face.T.numpy()), count=14)
    entry = load_registry().recipe("faust")
    small = entry.spec.scales["small"]
    settings = {**small.overrides, "data.path": str(zipped), "training.epochs": 1}
    short = Scale(overrides={**settings, "training.threads": 1}, seeds=(0,))
    arms = tuple(arm for arm in entry.spec.arms if arm.name != "matrix")
    changed = replace(entry, spec=replace(entry.spec, scales={"tiny": short}, arms=arms))
    report = reproduce(load_registry(), changed, "tiny", tmp_path / "runs", progress=False)
    assert [row[0] for row in report.rows] == ["xyz", "gcn"]
    figures = {figure.name: figure for figure in report.figures}
    assert figures["xyz/accuracy"].published == 99.73
    assert 0 <= figures["xyz/accuracy on turned scans"].value <= 100
    assert any(faust.archive_digest(zipped) in note for note in report.notes)
