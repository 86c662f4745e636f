"""Scores of sets of molecules: denominators, validity, controls, files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from intertwiner.errors import DataError
from intertwiner_enflow.molecules import (
    displaced,
    distance_divergence,
    gaussian_cloud,
    score_molecules,
    shuffled_types,
    stability,
    write_sdf,
    write_xyz,
)


def molecule(numbers: list[int], places: list[list[float]]) -> Data:
    pos = torch.tensor(places, dtype=torch.float64)
    return Data(z=torch.tensor(numbers), pos=pos, num_nodes=len(pos))


EDGE = 1.09 / 3**0.5
CORNERS = [[EDGE, EDGE, EDGE], [EDGE, -EDGE, -EDGE], [-EDGE, EDGE, -EDGE], [-EDGE, -EDGE, EDGE]]
METHANE = molecule([6, 1, 1, 1, 1], [[0.0, 0.0, 0.0], *CORNERS])
METHYL = molecule([6, 1, 1, 1], [[0.0, 0.0, 0.0], *CORNERS[:3]])
WATER = molecule([8, 1, 1], [[0, 0, 0], [0.757, 0.586, 0], [-0.757, 0.586, 0]])
FORMALDEHYDE = molecule(
    [6, 8, 1, 1], [[0, 0, 0], [1.205, 0, 0], [-0.58, 0.94, 0], [-0.58, -0.94, 0]]
)
HYDROGENS_ON_FLUORINE = molecule([1, 9, 1], [[-0.9, 0, 0], [0, 0, 0], [0.9, 0, 0]])
FAR_ATOMS = molecule([6, 6], [[-3.5, 0, 0], [3.5, 0, 0]])
ROOT = Path(__file__).parents[3]
QM7 = Path(os.environ.get("INTERTWINER_TEST_DATA", ROOT / "../shared/data")) / "gfn2/qm7_gfn2.npz"


def qm7() -> list[Data]:
    stored = np.load(QM7, allow_pickle=False)
    z, pos = (torch.from_numpy(stored[name]) for name in ("z", "pos"))
    sizes = stored["n_atoms"].tolist()
    return [
        Data(z=numbers.long(), pos=places.double(), num_nodes=len(numbers))
        for numbers, places in zip(z.split(sizes), pos.split(sizes), strict=True)
    ]


def test_shares_are_of_all_molecules_given() -> None:
    pytest.importorskip("rdkit")
    broken = Data(z=torch.tensor([6, 6]), pos=torch.tensor([[0.0, 0, 0], [9.0, 0, 0]]))
    report = score_molecules(
        [METHANE, METHANE, WATER, METHYL, broken], training=[WATER], reference=[METHANE]
    )
    assert report.molecules == 5
    assert report.stability.stable_molecules == 3
    assert report.stability.atoms == 5 + 5 + 3 + 4 + 2
    assert report.loose == 5
    assert report.strict == 3
    assert report.unique == 4
    assert report.novel == 3
    assert report.connected == 4
    assert "60.00 % (3 of 5)" in "\n".join(report.lines())


def test_a_radical_is_valid_only_where_hydrogens_may_be_filled_in() -> None:
    pytest.importorskip("rdkit")
    report = score_molecules([METHYL])
    assert (report.loose, report.strict) == (1, 0)


def test_an_atom_with_too_many_bonds_is_not_valid() -> None:
    pytest.importorskip("rdkit")
    report = score_molecules([HYDROGENS_ON_FLUORINE])
    assert (report.loose, report.strict, report.unique) == (0, 0, 0)


def test_without_rdkit_stability_is_still_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intertwiner_enflow.molecules.report.available", lambda: False)
    report = score_molecules([METHANE])
    assert report.stability.stable_molecules == 1
    assert report.loose is None
    assert len(list(report.lines())) == 2


@pytest.mark.skipif(not QM7.is_file(), reason=f"no QM7 file at {QM7}")
def test_true_molecules_and_spoilt_ones_score_as_measured() -> None:
    records = qm7()
    found = stability(records)
    assert found.atom_share == pytest.approx(0.9969, abs=1e-4)
    assert found.molecule_share == pytest.approx(0.9806, abs=1e-4)
    some = [record for record in records if 16 not in record.z.tolist()][:1500]
    generator = torch.Generator().manual_seed(0)
    for spoilt, atoms, molecules in (
        (some, 0.996, 0.979),
        (displaced(some, 0.02, generator), 0.979, 0.85),
        (displaced(some, 0.05, generator), 0.806, 0.14),
        (displaced(some, 0.10, generator), 0.560, 0.003),
        (shuffled_types(some, generator), 0.27, 0.0),
        (gaussian_cloud(some, generator), 0.185, 0.0),
    ):
        found = stability(spoilt)
        assert found.atom_share == pytest.approx(atoms, abs=0.01)
        assert found.molecule_share == pytest.approx(molecules, abs=0.03)


def test_controls_keep_elements_and_leave_the_molecules_alone() -> None:
    before = FORMALDEHYDE.pos.clone()
    generator = torch.Generator().manual_seed(0)
    for spoil in (shuffled_types, gaussian_cloud):
        (found,) = spoil([FORMALDEHYDE], generator)
        assert sorted(found.z.tolist()) == sorted(FORMALDEHYDE.z.tolist())
    assert torch.equal(FORMALDEHYDE.pos, before)


def test_distances_of_equal_sets_do_not_diverge() -> None:
    assert distance_divergence([METHANE], [METHANE]) == pytest.approx(0.0, abs=1e-12)
    assert distance_divergence([METHANE], [FAR_ATOMS]) > 0.5


def test_files_are_read_back_by_rdkit(tmp_path: Path) -> None:
    chem = pytest.importorskip("rdkit.Chem")
    sdf = write_sdf(tmp_path / "some.sdf", [METHANE, FORMALDEHYDE])
    found = list(chem.SDMolSupplier(str(sdf), removeHs=False))
    assert [chem.MolToSmiles(chem.RemoveHs(one)) for one in found] == ["C", "C=O"]
    places = torch.from_numpy(found[1].GetConformer().GetPositions())
    torch.testing.assert_close(places, FORMALDEHYDE.pos, rtol=0, atol=1e-4)
    xyz = write_xyz(tmp_path / "some.xyz", [METHANE, WATER]).read_text().splitlines()
    assert xyz[0] == "5"
    assert len(xyz) == 5 + 2 + 3 + 2


def test_what_the_format_has_no_room_for_is_refused(tmp_path: Path) -> None:
    many = Data(z=torch.ones(1000, dtype=torch.long), pos=10.0 * torch.randn(1000, 3))
    with pytest.raises(DataError, match="write XYZ"):
        write_sdf(tmp_path / "many.sdf", [many])
