"""Datasets: excerpts, the cache, records, and parts that never share a run."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from intertwiner.errors import ConfigError, DataError
from intertwiner_enflow.datasets import particles, store
from intertwiner_enflow.datasets.config import LennardJonesConfig, ParticlesConfig
from intertwiner_enflow.datasets.excerpt import excerpt, excerpt_file
from intertwiner_enflow.datasets.files import pair_convention, read_frames
from intertwiner_enflow.datasets.store import samples, unpacked
from intertwiner_enflow.generators import check_samples
from intertwiner_enflow.targets import DoubleWell, LennardJones, Target

CLUSTERS = [LennardJones(n, pair=pair) for n in (13, 55) for pair in ("half", "double")]
ROOT = Path(__file__).parents[3]
SHARED = Path(os.environ.get("INTERTWINER_TEST_DATA", ROOT / "../shared/data")) / "particles"
SMALL = ParticlesConfig(train=60, validation=20, test=30)


@pytest.fixture
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERTWINER_DATA", str(tmp_path))


@pytest.mark.parametrize("target", [DoubleWell(), *CLUSTERS], ids=lambda target: target.name)
def test_every_excerpt_has_the_virial_and_the_energy_of_its_target(target: Target) -> None:
    for check in check_samples(target, excerpt(target)):
        assert check.passed, str(check)


@pytest.mark.parametrize("target", CLUSTERS[:2], ids=lambda target: target.name)
def test_an_excerpt_tells_its_convention(target: LennardJones) -> None:
    assert pair_convention(excerpt(target)) == target.pair


@pytest.mark.usefixtures("_cache")
def test_parts_come_from_two_runs_and_stay(tmp_path: Path) -> None:
    target = DoubleWell()
    first = particles.tensors(target, SMALL)
    assert {part: len(x) for part, x in first.items()} == {
        "train": 60,
        "validation": 20,
        "test": 30,
    }
    files = sorted(path.name for path in (tmp_path / "enflow" / "dw4").glob("*.npz"))
    assert files == ["dw4-50-seed1-v1.npz", "dw4-60-seed0-v1.npz"]
    again = particles.tensors(target, SMALL)
    assert all(torch.equal(first[part], again[part]) for part in first)


@pytest.mark.usefixtures("_cache")
def test_records_carry_positions_labels_and_energy() -> None:
    dataset = particles.load_dw4(SMALL)
    record = dataset.part("test")[3]
    assert record.pos.shape == (4, 2)
    assert record.z.tolist() == [0, 0, 0, 0]
    expected = DoubleWell().energy(record.pos[None])
    torch.testing.assert_close(record.energy, expected, rtol=1e-4, atol=1e-4)
    assert dataset.species == (0,)


@pytest.mark.usefixtures("_cache")
def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    samples(DoubleWell(), "enflow/dw4", 20, 0)
    (path,) = (tmp_path / "enflow" / "dw4").glob("*.npz")
    with np.load(path) as stored:
        x, record = stored["x"].copy(), stored["record"]
    x[0, 0, 0] += 1e-3
    np.savez(path, x=x, record=record)
    with pytest.raises(DataError, match="SHA-256 of the samples"):
        samples(DoubleWell(), "enflow/dw4", 20, 0)
    path.write_bytes(b"PK broken")
    with pytest.raises(DataError, match="cannot be read"):
        samples(DoubleWell(), "enflow/dw4", 20, 0)


@pytest.mark.usefixtures("_cache")
def test_samples_that_fail_their_tests_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = store.generate(DoubleWell(), 20, 0)
    bad = type(made.checks[0])("virial", 9.0, 6.0, 0.1)
    spoilt = type(made)(made.run, (bad,))
    monkeypatch.setattr(store, "generate", lambda target, count, seed: spoilt)
    with pytest.raises(DataError, match="fail their self-tests"):
        samples(DoubleWell(), "enflow/dw4", 20, 0)
    assert not list((tmp_path / "enflow" / "dw4").glob("*.npz"))


def test_a_cluster_dataset_without_its_convention_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"data\.pair: .*half' or 'double'"):
        particles.load_lj13(LennardJonesConfig())


def test_the_excerpt_serves_without_generating() -> None:
    dataset = particles.load_lj13(LennardJonesConfig(pair="double", source="excerpt"))
    assert [len(dataset.part(part)) for part in ("train", "validation", "test")] == [600, 100, 300]


@pytest.mark.parametrize("make", [particles.synthetic_dw4, particles.synthetic_lj55])
def test_stand_ins_depend_on_their_seed_alone(make: object) -> None:
    assert callable(make)
    one, same, other = make(12, 0), make(12, 0), make(12, 1)
    assert torch.equal(one[0].pos, same[0].pos)
    assert not torch.equal(one[0].pos, other[0].pos)


def test_an_installed_file_of_another_target_is_refused() -> None:
    with pytest.raises(DataError, match="not those of lj13-half"):
        unpacked(excerpt_file(DoubleWell()), CLUSTERS[0])


def test_frames_of_a_file_are_centred_and_tested(tmp_path: Path) -> None:
    target = LennardJones(13, pair="half")
    path = tmp_path / "frames.npy"
    np.save(path, (excerpt(target) + 3.0).flatten(1).numpy())
    x = read_frames(path, target)
    assert x.shape == (1000, 13, 3)
    assert float(x.mean(dim=1).abs().max()) < 1e-5
    with pytest.raises(DataError, match=r"virial .* under 'half', virial .* under 'double'"):
        read_frames(path, LennardJones(13, pair="double"))


@pytest.mark.parametrize("name", ["missing.npy", "flat.npy", "nan.npy"])
def test_files_that_are_no_frames_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "flat.npy":
        np.save(path, np.zeros((10, 7)))
    if name == "nan.npy":
        np.save(path, np.full((10, 8), math.nan))
    with pytest.raises(DataError, match=name.partition(".")[0]):
        read_frames(path, DoubleWell())


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no particle files in {SHARED}")
def test_the_public_cluster_file_is_found_to_count_pairs_twice() -> None:
    x = torch.from_numpy(np.load(SHARED / "test_split_LJ13-1000.npy")[:4000]).reshape(-1, 13, 3)
    assert pair_convention(x) == "double"
