"""Scores of arrays and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from intertwiner_atomic_conv.errors import InvalidInput
from intertwiner_atomic_conv.scoring import Scorer, complex_from_arrays, score


@pytest.fixture
def arrays(make_complex: Callable[..., Data]) -> tuple:
    record = make_complex(80, 6)
    x, z, part = record.pos.numpy(), record.z.numpy(), record.part.numpy()
    return (z[part == 0], x[part == 0]), (z[part == 1], x[part == 1])


def test_a_score_says_what_it_is_made_of(arrays: tuple) -> None:
    found = score(*arrays)
    assert found.pK == pytest.approx(found.interaction + found.offset, abs=1e-5)
    assert found.dG_kcal == pytest.approx(-1.3643 * found.pK, rel=1e-6)
    assert found.sd is not None
    assert found.sd > 0
    assert len(found.atom_contributions) == 80
    assert any("on proteins not seen" in line for line in found.report)


def test_contributions_of_a_network_add_up(
    arrays: tuple, make_network: Callable[..., torch.nn.Module]
) -> None:
    found = score(*arrays, model=make_network().float())
    total = float(found.atom_contributions.sum())
    assert found.interaction == pytest.approx(total, abs=1e-5)


def test_elements_without_a_bucket_are_reported(
    arrays: tuple, make_network: Callable[..., torch.nn.Module]
) -> None:
    (z, x), ligand = arrays
    iron = int((z == 26).sum() + (ligand[0] == 26).sum())
    for other, fate in ((True, "in bucket 'other'"), (False, "left out: not in the type list")):
        network = make_network(types=(6, 7, 8, 16), other=other).float()
        assert f"{iron} atoms of Fe {fate}" in score((z, x), ligand, model=network).report


def test_far_away_is_an_error_or_exactly_nothing(arrays: tuple) -> None:
    protein, (z, x) = arrays
    far = z, x + 80.0
    with pytest.raises(InvalidInput, match="different coordinate frames"):
        score(protein, far)
    assert score(protein, far, allow_far=True).interaction == 0.0


@pytest.mark.parametrize(
    ("z", "xyz", "said"),
    [
        ([6], np.zeros((3, 24)), r"xyz must have shape \(n, 3\), got \(3, 24\)"),
        ([6, 6], np.zeros((1, 3)), r"\(2,\) atomic numbers, 1 positions"),
        ([6.5], np.zeros((1, 3)), "Z must be whole numbers"),
        ([0], np.zeros((1, 3)), r"Z\[0\] = 0"),
        ([6], np.full((1, 3), np.nan), "position of atom 0 is not finite"),
        (np.zeros(0, int), np.zeros((0, 3)), "no atoms"),
        ([6, 7], np.array([[1.0, 0, 0], [1.0, 0, 0]]), "atoms 0 and 1 coincide"),
        ([6] * 9, np.outer(np.arange(9), [0.15, 0, 0]), r"distance 0\.15: coordinates in nm\?"),
        ([6] * 201, 1.5 * np.outer(np.arange(201), [1, 1, 0]), "protein 1: arguments swapped"),
    ],
)
def test_arrays_that_cannot_be_are_refused(z: object, xyz: np.ndarray, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        complex_from_arrays(([6], np.zeros((1, 3))), (z, xyz))


def test_files_are_read_by_the_installed_reader(
    tmp_path: Path, structure_texts: tuple[str, str]
) -> None:
    pytest.importorskip("intertwiner_atoms")
    pdb, sdf = structure_texts
    protein, ligand = tmp_path / "protein.pdb", tmp_path / "ligand.sdf"
    protein.write_text(pdb)
    ligand.write_text(sdf)
    found = score(protein, ligand)
    assert found.name
    assert np.isfinite(found.pK)
    ligand.write_text(sdf * 3)
    assert len(Scorer(protein)(ligand)) == 3
