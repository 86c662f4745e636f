"""RNA surfaces: files of the right form are read, traps are avoided, the control is recomputed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from intertwiner.errors import ConfigError, DataError
from intertwiner_gauge_mesh.datasets import rna
from intertwiner_gauge_mesh.datasets.config import RnaConfig
from intertwiner_gauge_mesh.datasets.rna_control import (
    alignment_control,
    majority_control,
    place_control,
    whole_surface_labels,
)
from intertwiner_gauge_mesh.datasets.rna_files import RnaSurface, open_rna
from intertwiner_gauge_mesh.datasets.rna_similarity import aligned, clusters, distances
from intertwiner_gauge_mesh.datasets.shapes import random_rotation, random_shape

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("INTERTWINER_TEST_DATA", ROOT.parent / "shared" / "data"))
REAL = DATA / "rna" / "rna_surface_120.npz"


def surface(name: str, seed: int = 0, turn: int | None = None) -> RnaSurface:
    """A bumpy sphere of 40 angstrom with labels by octant, and one vertex of no face."""
    shape = random_shape("sphere", 162, "regular", seed)
    points = 40 * shape.points
    if turn is not None:
        points = points @ random_rotation(torch.Generator().manual_seed(turn)).T
    labels = ((shape.parameters > 0).long() * torch.tensor([1, 2, 4])).sum(1)
    vertices = np.concatenate([points.numpy(), [[99.0, 0.0, 0.0]]])
    return RnaSurface(name, vertices, shape.faces.numpy(), np.append(labels.numpy(), 200))


def write_npz(path: Path, surfaces: list[RnaSurface], parts: list[str]) -> Path:
    arrays = {"names": np.array([item.name for item in surfaces]), "split": np.array(parts)}
    for item in surfaces:
        arrays[f"{item.name}/vertices"] = (item.vertices / 0.005).round().astype(np.int16)
        arrays[f"{item.name}/faces"] = item.faces.astype(np.uint16)
        arrays[f"{item.name}/labels"] = item.labels.astype(np.int16)
    np.savez(path, **arrays)
    return path


def write_folder(path: Path, surfaces: list[RnaSurface], parts: list[str]) -> Path:
    for name in ("off", "labels"):
        (path / name).mkdir(parents=True)
    for part in ("train", "test"):
        chosen = [s.name for s, p in zip(surfaces, parts, strict=True) if p == part]
        (path / f"{part}.txt").write_text("".join(f"{name}.off\n" for name in chosen))
    for item in surfaces:
        rows = [f"{x:.6f} {y:.6f} {z:.6f}" for x, y, z in item.vertices]
        faces = [f"3 {a} {b} {c}" for a, b, c in item.faces]
        text = "\n".join(["OFF", f"{len(rows)} {len(faces)} 0", *rows, *faces])
        (path / "off" / f"{item.name}.off").write_text(text)
        (path / "labels" / f"{item.name}.txt").write_text("\n".join(map(str, item.labels)))
    return path


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERTWINER_DATA", str(tmp_path / "data"))
    return tmp_path


SURFACES = [surface(f"S{seed}", seed) for seed in range(10)] + [surface("T", 3), surface("U", 55)]
PARTS = ["train"] * 10 + ["test"] * 2


@pytest.mark.parametrize("form", ["npz", "folder"])
def test_both_forms_of_the_set_give_the_same_records(data_folder: Path, form: str) -> None:
    write = write_npz if form == "npz" else write_folder
    path = write(data_folder / f"set.{form}", SURFACES, PARTS)
    dataset = rna.load(RnaConfig(path=str(path), rotate=False))
    assert len(dataset) == 12
    record = dataset[3]
    assert record.name == "S3"
    assert record.num_nodes == 162
    assert record.nucleotide.tolist() == (SURFACES[3].labels[:162] + 1).tolist()
    expected = torch.from_numpy(SURFACES[3].vertices[:162]).float()
    torch.testing.assert_close(record.pos, expected, rtol=0, atol=0.0026)


def test_vertices_of_no_face_are_dropped_and_labelled_by_their_neighbour_at_the_end() -> None:
    used, faces = SURFACES[0].referenced()
    assert used.tolist() == list(range(162))
    assert faces.max() == 161
    whole = whole_surface_labels(SURFACES[0], SURFACES[0].labels[:162])
    nearest = np.linalg.norm(SURFACES[0].vertices[:162] - [99.0, 0.0, 0.0], axis=1).argmin()
    assert whole[162] == SURFACES[0].labels[nearest]
    assert whole[:162].tolist() == SURFACES[0].labels[:162].tolist()


def test_test_surfaces_are_divided_by_whether_their_like_is_trained_on(data_folder: Path) -> None:
    path = write_npz(data_folder / "set.npz", SURFACES, PARTS)
    dataset = rna.load(RnaConfig(path=str(path)))
    names = {
        scheme: [dataset[int(index)].name for index in split["test"]]
        for scheme, split in dataset.splits.items()
    }
    assert names == {"official": ["T", "U"], "similar": ["T"], "dissimilar": ["U"]}
    split = dataset.splits["official"]
    assert len(split["validation"]) == 1
    assert len(split["train"]) == 9
    assert list((data_folder / "data").rglob("distances-*.npy"))


def test_surfaces_are_turned_at_random_by_their_name_and_the_seed(data_folder: Path) -> None:
    path = str(write_npz(data_folder / "set.npz", SURFACES, PARTS))
    first, again, other, plain = (
        rna.load(config)[0].pos
        for config in (
            RnaConfig(path=path),
            RnaConfig(path=path),
            RnaConfig(path=path, seed=1),
            RnaConfig(path=path, rotate=False),
        )
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1.0)
    lengths = [item[1:].sub(item[:-1]).norm(dim=1) for item in (first, plain)]
    torch.testing.assert_close(*lengths, rtol=0, atol=0.01)


def test_similarity_does_not_see_rotations_and_tells_shapes_apart() -> None:
    table = distances([surface("a", 3), surface("b", 3, turn=1), surface("c", 4)])
    assert table[0, 1] < 1e-6
    assert min(table[0, 2], table[1, 2]) > 0.5
    assert clusters(table, 0.1).tolist() in ([0, 0, 1], [1, 1, 0])
    assert clusters(np.zeros((1, 1)), 0.1).tolist() == [0]


def test_alignment_is_right_handed_and_about_the_centre() -> None:
    points = aligned(surface("a", 3).vertices[:162])
    assert np.abs(points.mean(axis=0)).max() < 1e-9
    covariance = points.T @ points
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-6 * covariance.max()


def test_the_control_copies_the_labels_of_the_nearest_shape() -> None:
    found = alignment_control([surface("a", 3), surface("b", 4)], [surface("c", 3, turn=2)])
    assert found["c"] > 0.95
    assert 0.05 < majority_control([surface("a", 3)], [surface("c", 3)]) < 0.3


def test_place_alone_is_right_on_the_same_shape_turned() -> None:
    found = place_control([surface("a", 3)] * 7, [surface("c", 3, turn=2)])
    assert found["c"] > 0.9


@pytest.mark.fault("F21")
def test_files_of_another_form_are_refused_by_name(data_folder: Path) -> None:
    with pytest.raises(ConfigError, match="data.path"):
        rna.load(RnaConfig())
    with pytest.raises(DataError, match=r"absent\.npz"):
        open_rna(data_folder / "absent.npz")
    (data_folder / "text.npz").write_text("hello")
    with pytest.raises(DataError, match="not a npz"):
        open_rna(data_folder / "text.npz")
    np.savez(data_folder / "other.npz", names=np.array(["a"]), split=np.array(["train"]))
    with pytest.raises(DataError, match="lacks the array 'a/vertices'"):
        open_rna(data_folder / "other.npz").read("a")
    bad = RnaSurface("a", np.zeros((3, 3)), np.array([[0, 1, 9]]), np.zeros(3, dtype=np.int64))
    path = write_npz(data_folder / "face.npz", [bad], ["train"])
    with pytest.raises(DataError, match="a face names vertex 9 of 3"):
        open_rna(path).read("a")


def test_a_file_in_the_data_folder_is_found_without_a_path(data_folder: Path) -> None:
    folder = data_folder / "data" / "gauge-mesh" / "rna-surface"
    folder.mkdir(parents=True)
    write_npz(folder / "rna_surface_120.npz", SURFACES, PARTS)
    assert len(rna.load(RnaConfig())) == 12


@pytest.mark.skipif(not REAL.exists(), reason=f"{REAL} is not there: real RNA surfaces untested")
def test_real_surfaces_have_the_known_counts_and_the_control_scores_what_is_known() -> None:
    files = open_rna(REAL)
    surfaces = [files.read(name) for name in files.names]
    total = sum(len(item.vertices) for item in surfaces)
    loose = [len(item.vertices) - len(item.referenced()[0]) for item in surfaces]
    assert total == 1_810_278
    assert sum(loose) / total == pytest.approx(0.0323, abs=1e-4)
    assert max(loose) == 4092
    parts = np.array([files.parts[name] for name in files.names])
    training = [surfaces[number] for number in np.flatnonzero(parts == "train")]
    test = [surfaces[number] for number in np.flatnonzero(parts == "test")]
    assert (len(training), len(test)) == (80, 40)
    found = list(alignment_control(training, test).values())
    assert np.mean(found) == pytest.approx(0.88, abs=0.01)
    assert majority_control(training, test) == pytest.approx(0.0138, abs=2e-4)
