"""Generated pockets: geometry, known energy, labels."""

from __future__ import annotations

import numpy as np
import pytest

from intertwiner_atomic_conv.affinity import KCAL_PER_PK
from intertwiner_atomic_conv.config import SyntheticPocketsConfig
from intertwiner_atomic_conv.datasets.pair_energy import pair_energy, total_energy
from intertwiner_atomic_conv.datasets.synthetic_pockets import load, make_pocket


def test_pockets_have_the_sizes_and_distances_of_their_definition() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        pocket = make_pocket(generator)
        ligand, shell = pocket.x[pocket.part == 1], pocket.x[pocket.part == 0]
        assert 8 <= len(ligand) <= 30
        assert 100 < len(shell) < 600
        gap = np.sqrt(((ligand[:, None] - shell[None]) ** 2).sum(-1))
        assert gap.min() > 2.6
        assert gap.min(0).max() < 8.0
        apart = np.sqrt(((shell[:, None] - shell[None]) ** 2).sum(-1))
        assert apart[~np.eye(len(shell), dtype=bool)].min() >= 1.9 - 1e-6


def test_the_energy_is_the_sum_over_pairs_across() -> None:
    pocket = make_pocket(np.random.default_rng(1))
    total = 0.0
    for i in np.flatnonzero(pocket.part == 1):
        for j in np.flatnonzero(pocket.part == 0):
            r = float(np.linalg.norm(pocket.x[i] - pocket.x[j]))
            if r < 7.0:
                kinds = (np.array(pocket.kind[k]) for k in (i, j))
                total += float(pair_energy(np.array(r), *kinds))
    assert total_energy(pocket.x, pocket.kind, pocket.part) == pytest.approx(total)


def test_wells_are_where_the_tables_say() -> None:
    r = np.linspace(2.0, 6.9, 2000)
    energy = pair_energy(r, np.full(2000, 1), np.full(2000, 2))
    assert r[energy.argmin()] == pytest.approx(2.9, abs=0.05)
    ends = 0.5 * (1 + np.cos(np.pi * 2.9 / 7))
    assert energy.min() == pytest.approx(-0.9 * ends, abs=0.02)


def test_labels_correlate_with_size_on_purpose() -> None:
    records = list(load(SyntheticPocketsConfig(count=120)))
    true = np.array([float(record.pK_true) for record in records])
    label = np.array([float(record.pK) for record in records])
    size = np.array([float((record.part == 1).sum()) for record in records])
    assert 0.5 < np.corrcoef(true, size)[0, 1] < 0.9
    assert (label - true).std() == pytest.approx(0.3, abs=0.08)
    free = np.array([float(record.dG) for record in records])
    np.testing.assert_allclose(free, -KCAL_PER_PK * label, rtol=1e-5)


def test_a_seed_gives_the_same_pockets_and_more_of_them_begin_alike() -> None:
    few, many = (load(SyntheticPocketsConfig(count=count)) for count in (20, 24))
    for a, b in zip(few, many, strict=False):
        assert a.pos.equal(b.pos)
        assert a.pK.equal(b.pK)
