"""Residue environments: what is in them, what is not, and how they are split."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from intertwiner.errors import ConfigError
from intertwiner_steerable3d.data.archive import read_archive
from intertwiner_steerable3d.data.config import PropensityData
from intertwiner_steerable3d.data.environments import Environments, residue_frames
from intertwiner_steerable3d.data.made_up import helix, made_up_proteins
from intertwiner_steerable3d.data.propensity import assemble, load
from intertwiner_steerable3d.data.proteins import join, virtual_carbon_beta
from intertwiner_steerable3d.data.rotations import random_rotations
from intertwiner_steerable3d.errors import InvalidInput, VoxelWarning

ROOT = Path(__file__).resolve().parents[4]
PARITY = Path(os.environ.get("INTERTWINER_PARITY_DIR", ROOT / "../shared/data/parity"))
ARCHIVE = PARITY.parent / "proteins" / "bm5_unbound.npz"
SMALL = {"side": 9, "step": 2.0, "sigma": 1.6}

needs_archive = pytest.mark.skipif(
    not ARCHIVE.exists(), reason="needs bm5_unbound.npz in the shared data folder"
)


@pytest.fixture(scope="module")
def archive():
    return read_archive(ARCHIVE, strict=True)


@needs_archive
def test_the_real_set_has_the_published_counts(archive):
    proteins, split = archive
    assert len(proteins.names) == 459
    assert len(proteins.pos) == 956_043
    assert len(proteins.amino_acid) == 122_443
    assert int(proteins.targets().sum()) == 122_442
    assert split.part.bincount().tolist() == [289, 67, 103]
    residues = split.part[proteins.owner()].bincount().tolist()
    assert residues == [78_741, 23_519, 20_183]


@needs_archive
def test_no_cluster_of_the_real_set_is_in_two_parts(archive):
    _, split = archive
    parts = [set(split.cluster[split.part == part].tolist()) for part in range(3)]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


@needs_archive
def test_positions_of_the_real_set_are_in_angstrom(archive):
    proteins, _ = archive
    whole = proteins.backbone[proteins.targets()]
    span = (whole[:, 2] - whole[:, 0]).norm(dim=1)
    assert 2.4 < float(span.median()) < 2.5


@needs_archive
def test_the_commonest_test_residue_of_the_real_set_is_leucine(archive):
    proteins, split = archive
    test = proteins.amino_acid[split.part[proteins.owner()] == 2]
    assert float((test == 10).double().mean()) == pytest.approx(0.0866, abs=1e-3)


@needs_archive
def test_environments_of_the_real_set_are_as_full_as_measured(archive):
    proteins, _ = archive
    targets = proteins.targets().nonzero()[::2000, 0]
    made = Environments(proteins, targets, 12.0)
    counts = [len(made[index].pos) for index in range(len(made))]
    assert np.mean(counts) == pytest.approx(223, rel=0.15)
    assert max(counts) <= 440


def one_helix(seed=0):
    return helix("one", 8, torch.Generator().manual_seed(seed))


def test_nothing_of_the_residue_itself_is_around_it():
    proteins = one_helix()
    made = Environments(proteins, torch.arange(8), 100.0)
    for index in range(8):
        around = made[index]
        assert len(around.pos) == len(proteins.pos) - 5
        own = proteins.pos[proteins.residue == index] - made.centres[index]
        assert float(torch.cdist(around.pos, own).min()) > 1e-3


@pytest.mark.parametrize("frame", ["backbone", "none"])
def test_environments_move_with_the_protein(frame):
    proteins = one_helix()
    rotation = random_rotations(1, torch.Generator().manual_seed(5))[0].float()
    moved = proteins.pos @ rotation.T + 3.0
    backbone = proteins.backbone @ rotation.T + 3.0
    other = type(proteins)(
        *(proteins.names, moved, proteins.element, proteins.residue, proteins.amino_acid),
        *(backbone, proteins.atom_ptr, proteins.residue_ptr),
    )
    one = Environments(proteins, torch.arange(8), 9.0, frame)
    two = Environments(other, torch.arange(8), 9.0, frame)
    for index in range(8):
        turned = one[index].pos if frame == "backbone" else one[index].pos @ rotation.T
        torch.testing.assert_close(two[index].pos, turned, rtol=0, atol=1e-4)
        torch.testing.assert_close(
            two.counts(two.around(index), index), one.counts(one.around(index), index)
        )


def test_random_axes_keep_distances_and_follow_from_the_seed():
    proteins = one_helix()
    plain, turned, again, other = (
        Environments(proteins, torch.arange(8), 9.0, frame, seed)
        for frame, seed in (("none", 0), ("random", 0), ("random", 0), ("random", 1))
    )
    torch.testing.assert_close(turned[3].pos.norm(dim=1), plain[3].pos.norm(dim=1))
    assert torch.equal(turned[3].pos, again[3].pos)
    assert not torch.allclose(turned[3].pos, other[3].pos)


def test_frames_are_rotations_and_the_virtual_carbon_is_1_5_angstrom_away():
    backbone = one_helix().backbone
    frames = residue_frames(backbone)
    torch.testing.assert_close(frames @ frames.transpose(1, 2), torch.eye(3).expand(8, 3, 3))
    torch.testing.assert_close(torch.linalg.det(frames), torch.ones(8))
    ideal = torch.tensor([[[-0.53, 1.36, 0], [0, 0, 0], [1.53, 0, 0]]])
    length = float(virtual_carbon_beta(ideal).norm())
    assert length == pytest.approx(1.53, abs=0.05)


def test_joined_proteins_are_each_what_they_were():
    parts = [one_helix(seed) for seed in range(3)]
    joined = join(parts)
    assert joined.residue_ptr.tolist() == [0, 8, 16, 24]
    assert torch.equal(joined.residue[40:80] - 8, parts[1].residue)
    assert joined.owner().tolist() == [0] * 8 + [1] * 8 + [2] * 8


def test_parts_share_no_protein_and_labels_are_the_residues():
    proteins, split = made_up_proteins(40, 0)
    dataset = assemble(proteins, split, PropensityData(**SMALL))
    parts = {
        name: {str(record.name).split(":")[0] for record in dataset.part(name, "cluster")}
        for name in ("train", "validation", "test")
    }
    assert not parts["train"] & parts["test"]
    assert not parts["train"] & parts["validation"]
    assert int(dataset[9].residue) == int(proteins.amino_acid[9])
    assert dataset[9].volume.shape == (1, 4, 9, 9, 9)


def test_shuffled_labels_are_those_of_training_alone():
    proteins, split = made_up_proteins(80, 0)
    plain, mixed = (
        assemble(proteins, split, PropensityData(**SMALL, shuffled=shuffled))
        for shuffled in (False, True)
    )
    for part, changes in (("train", True), ("test", False)):
        one = torch.cat([record.residue for record in plain.part(part, "cluster")])
        other = torch.cat([record.residue for record in mixed.part(part, "cluster")])
        assert torch.equal(one, other) != changes
        assert torch.equal(one.sort().values, other.sort().values)


def test_kept_records_are_the_same_objects_and_counts_can_be_left_out():
    proteins, split = made_up_proteins(24, 0)
    kept = assemble(proteins, split, PropensityData(**SMALL, keep=True, counts=False))
    assert kept[1] is kept[1]
    assert "counts" not in kept[1]


def test_grids_too_coarse_for_their_gaussians_are_warned_of():
    proteins, split = made_up_proteins(24, 0)
    with pytest.warns(VoxelWarning, match=r"data\.sigma 0\.5"):
        assemble(proteins, split, PropensityData(side=5, step=2.0, sigma=0.5))


def test_without_a_path_the_message_says_what_is_wanted(monkeypatch, tmp_path):
    monkeypatch.setenv("INTERTWINER_DATA", str(tmp_path))
    with pytest.raises(ConfigError, match=r"data\.path: name bm5_unbound\.npz or a folder"):
        load(PropensityData())


def write(path, **changes):
    offsets = np.array([0, 1, 2])
    arrays = {
        "ids": np.array(["a", "b"]),
        "xyz": np.zeros((2, 3), dtype=np.int16),
        "el": np.zeros(2, dtype=np.uint8),
        "res": np.zeros(2, dtype=np.uint16),
        "name": np.zeros(2, dtype=np.uint8),
        "atom_names": np.array(["N", "CA", "C"]),
        "aa": np.zeros(2, dtype=np.uint8),
        "atom_off": offsets,
        "res_off": offsets,
        "cluster": np.zeros(2, dtype=np.int32),
        "split": np.zeros(2, dtype=np.uint8),
    } | changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


@pytest.mark.filterwarnings("ignore:.*SHA-256")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"aa": None, "xyz": None}, "no array aa, xyz"),
        ({"xyz": np.zeros((2, 3))}, "xyz is float64"),
        ({"atom_off": np.array([0, 2, 1])}, "atom_off must rise from 0 to 2"),
        ({"res_off": np.array([1, 1, 2])}, "res_off must rise from 0 to 2"),
    ],
)
def test_archives_that_do_not_fit_are_refused_in_words(tmp_path, changes, message):
    with pytest.raises(InvalidInput, match=message):
        read_archive(write(tmp_path / "made.npz", **changes))


def test_another_checksum_is_a_warning_and_with_strict_an_error(tmp_path):
    path = write(tmp_path / "made.npz")
    with pytest.warns(VoxelWarning, match="SHA-256"):
        read_archive(path)
    with pytest.raises(InvalidInput, match="SHA-256"):
        read_archive(path, strict=True)


@pytest.mark.fault("F05")
def test_an_archive_with_a_pickle_is_refused_and_not_run(tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, **{"ids": np.array([{"a": 1}], dtype=object)})
    with pytest.raises(InvalidInput):
        read_archive(path)
    with pytest.raises(InvalidInput, match="no such file"):
        read_archive(tmp_path / "absent.npz")
