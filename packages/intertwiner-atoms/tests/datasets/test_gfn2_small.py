"""The embedded molecules: whole, physical, and divided so that nothing leaks."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from intertwiner.config import build
from intertwiner.data import Dataset
from intertwiner.errors import ConfigError, DataError
from intertwiner_atoms.config import Gfn2SmallConfig
from intertwiner_atoms.datasets import gfn2_small
from intertwiner_atoms.quantities import GFN2_TARGETS
from intertwiner_atoms.tensors import six_from_irreps

PARTS = ("train", "validation", "test")
SCHEMES = ("random", "formula", "size")
DEBYE_PER_E_ANGSTROM = 4.80320471


@pytest.fixture(scope="module")
def both() -> Dataset:
    return gfn2_small.load(Gfn2SmallConfig(geometry="both"))


@pytest.fixture(scope="module")
def relaxed() -> Dataset:
    return gfn2_small.load(Gfn2SmallConfig())


def test_the_file_is_the_pinned_one() -> None:
    content = gfn2_small.embedded_file().read_bytes()
    assert hashlib.sha256(content).hexdigest() == gfn2_small.SHA256
    assert 1_000_000 < len(content) < 3_000_000


def test_it_says_how_it_was_made() -> None:
    meta = gfn2_small.provenance()
    assert meta["molecules"] == 4184
    assert "tblite" in meta["versions"]
    assert meta["licence"]


@pytest.mark.fault("F03")
def test_a_changed_file_is_refused_with_both_digests(tmp_path: Path) -> None:
    content = bytearray(gfn2_small.embedded_file().read_bytes())
    content[1000] ^= 4
    path = tmp_path / "gfn2_small.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=gfn2_small.SHA256):
        gfn2_small.from_file(Gfn2SmallConfig(), path, gfn2_small.SHA256)


def test_every_declared_target_is_there_with_its_shape(relaxed: Dataset) -> None:
    record = relaxed[0]
    for field in GFN2_TARGETS:
        rows = len(record.z) if field.site == "node" else 1
        shape = (rows,) if field.rep.width == 1 else (rows, field.rep.width)
        assert record[field.name].shape == shape, field.name
        assert torch.isfinite(record[field.name]).all()


def test_only_chosen_targets_are_carried_and_unknown_ones_refused() -> None:
    record = gfn2_small.load(Gfn2SmallConfig(targets=("dipole",)))[0]
    assert "dipole" in record
    assert "forces" not in record
    with pytest.raises(ConfigError, match="did you mean 'dipole'"):
        gfn2_small.load(Gfn2SmallConfig(targets=("dipol",)))


@pytest.mark.fault("F14")
def test_a_wrong_geometry_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="geometry"):
        build(Gfn2SmallConfig, {"geometry": "bent"})


def test_labels_unknown_at_displaced_geometries_are_nan(both: Dataset) -> None:
    count = len(both) // 2
    record = both[count]
    assert record.name == f"{both[0].name} displaced"
    assert torch.equal(record.z, both[0].z)
    assert not torch.equal(record.pos, both[0].pos)
    for name in ("homo", "lumo", "gap", "charges", "polarizability", "polarizability_mean"):
        assert torch.isnan(record[name]).all(), name
    for name in ("energy", "forces", "dipole", "dipole_magnitude"):
        assert torch.isfinite(record[name]).all(), name


def test_the_dipole_magnitude_is_the_length_of_the_dipole(both: Dataset) -> None:
    for index in range(0, len(both), 97):
        record = both[index]
        assert torch.allclose(record.dipole.norm(dim=1), record.dipole_magnitude, atol=1e-5)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_split_is_whole_and_twins_are_on_one_side(both: Dataset, scheme: str) -> None:
    parts = [both.splits[scheme][part] for part in PARTS]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(both)))
    count = len(both) // 2
    for numbers in parts:
        assert np.array_equal(numbers[::2] + count, numbers[1::2])


def test_no_smiles_and_in_formula_no_formula_is_on_two_sides(relaxed: Dataset) -> None:
    smiles = [record.name for record in relaxed]
    formulas = [tuple(sorted(Counter(record.z.tolist()).items())) for record in relaxed]
    assert len(set(smiles)) == len(smiles)
    sides = [{formulas[i] for i in relaxed.splits["formula"][part]} for part in PARTS]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]


def test_the_size_split_tests_on_the_largest(relaxed: Dataset) -> None:
    heavy = np.array([int((record.z > 1).sum()) for record in relaxed])
    splits = relaxed.splits["size"]
    assert set(heavy[splits["test"]]) == {7}
    assert heavy[splits["train"]].max() == 6


def test_the_labels_are_physical(both: Dataset) -> None:
    assert both.species == (1, 6, 7, 8, 9)
    relaxed = [both[index] for index in range(0, len(both) // 2, 20)]
    assert max(abs(float(record.charges.sum())) for record in relaxed) < 2e-3
    assert max(float(record.pos.mean(dim=0).abs().max()) for record in relaxed) < 1e-3
    nets = [float(both[i].forces.sum(dim=0).abs().max()) for i in range(0, len(both), 20)]
    assert max(nets) < 0.02
    for record in relaxed:
        xx, _, yy, _, _, zz = six_from_irreps(record.polarizability[0].numpy())
        assert float(record.polarizability_mean) == pytest.approx((xx + yy + zz) / 3, abs=1e-3)
        assert min(xx, yy, zz) > 0


def test_the_dipole_points_from_negative_to_positive_charge(relaxed: Dataset) -> None:
    records = [relaxed[index] for index in range(0, len(relaxed), 10)]
    true = torch.cat([record.dipole for record in records])
    charge = torch.stack([record.charges @ record.pos for record in records]) * DEBYE_PER_E_ANGSTROM
    strong = true.norm(dim=1) > 0.5
    cosine = torch.nn.functional.cosine_similarity(true[strong], charge[strong])
    assert float(cosine.mean()) > 0.8


def test_displacing_raises_the_energy_as_the_forces_say(both: Dataset) -> None:
    """Energy change against the work of the mean force along the way, in eV."""
    count = len(both) // 2
    rise, work = [], []
    for index in range(0, count, 40):
        before, after = both[index], both[index + count]
        rise.append(float(after.energy - before.energy))
        path = (after.pos - before.pos) * (after.forces + before.forces) / 2
        work.append(-float(path.sum()))
    assert np.corrcoef(rise, work)[0, 1] > 0.99
    assert np.mean(np.array(rise) > 0) > 0.95


def test_eight_thousand_records_are_made_in_two_seconds_of_processor_time(both: Dataset) -> None:
    start = time.process_time()
    assert sum(len(record.z) for record in both) > 80_000
    print(f"{len(both)} records in {time.process_time() - start:.2f} s")  # noqa: T201
