"""Codes and features of atoms and bonds: golden values, the fixtures, and odd molecules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from intertwiner.errors import DataError
from intertwiner_fedchem.data.codes import (
    ATOM_RADICES,
    BOND_RADICES,
    SELF_LOOP,
    atom_code,
    bond_code,
)
from intertwiner_fedchem.data.features import atom_features, bond_features
from intertwiner_fedchem.data.graph import Graph

pytest.importorskip("rdkit")

from intertwiner_fedchem.data.featurise import featurise, parse


def dense(graph: Graph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of atoms, of edges with self-loops last, and the ends of the edges."""
    count = len(graph.atom_code)
    codes = np.concatenate([graph.bond_code, np.full(count, SELF_LOOP)])
    ends = np.concatenate([graph.ends, np.stack([np.arange(count)] * 2, 1)])
    atoms = atom_features(torch.from_numpy(graph.atom_code)).numpy()
    return atoms, bond_features(torch.from_numpy(codes)).numpy(), ends


def columns(row: np.ndarray) -> set[int]:
    return set(np.flatnonzero(row).tolist())


def test_acetanilide_has_the_golden_columns() -> None:
    atoms, edges, ends = dense(featurise(parse("CC(=O)Nc1ccccc1")))
    assert (len(atoms), len(edges)) == (10, 30)
    assert columns(atoms[0]) == {0, 44, 57, 65, 72}
    assert columns(atoms[6]) == {1, 45, 55, 64, 70}
    found = {tuple(ends[row]): columns(edges[row]) for row in range(0, 20, 2)}
    golden = {(0, 2): {0, 6}, (2, 7): {1, 4, 6}, (2, 6): {0, 4, 6}, (8, 5): {3, 4, 5, 6}}
    assert golden.items() <= found.items()
    assert columns(edges[-1]) == {12}


def test_a_charge_is_a_signed_number_and_stereo_has_its_column() -> None:
    atoms, edges, ends = dense(featurise(parse("C/C=C/[N+](=O)[O-]")))
    assert columns(atoms[1]) == {1, 46, 54, 61, 64, 69}
    assert (atoms[1, 61], atoms[3, 61]) == (1.0, -1.0)
    found = {tuple(ends[row]): columns(edges[row]) for row in range(0, 10, 2)}
    assert found[4, 5] == {1, 4, 9}


def test_features_are_those_of_the_fixtures(parity_folder: Path) -> None:
    stored = np.load(parity_folder / "canonical_features.npz")
    smiles = json.loads((parity_folder / "canonical_features.json").read_text())["smiles"]
    graphs = [dense(featurise(parse(text))) for text in smiles]
    for place, name in enumerate(("node_feat", "edge_feat")):
        np.testing.assert_array_equal(np.concatenate([g[place] for g in graphs]), stored[name])
    firsts = np.cumsum([0, *(len(atoms) for atoms, _, _ in graphs)])
    ends = np.concatenate([graph[2] + first for graph, first in zip(graphs, firsts, strict=False)])
    np.testing.assert_array_equal(ends, np.stack([stored["src"], stored["dst"]], 1))


def expected_columns(digits: Sequence[int]) -> np.ndarray:
    """The 74 columns from the digits, in another way than the module's."""
    sizes, row = [43, 11, 7, None, None, 5, None, 5], []
    for digit, size in zip(digits, sizes, strict=True):
        row += [float(digit)] if size is None else [float(digit == n) for n in range(size)]
    signed = (digits[3] + 1) // 2 if digits[3] % 2 else -(digits[3] // 2)
    row[61] = float(signed)
    return np.array(row)


def test_every_atom_code_says_what_it_was_made_of() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        digits = [int(random.integers(radix)) for radix in ATOM_RADICES]
        row = atom_features(torch.tensor([atom_code(digits)]))[0].numpy()
        np.testing.assert_array_equal(row, expected_columns(digits))


def test_bond_codes_end_before_that_of_the_self_loop() -> None:
    assert bond_code([radix - 1 for radix in BOND_RADICES]) == SELF_LOOP - 1
    with pytest.raises(DataError, match="bond_code 141"):
        bond_features(torch.tensor([141]))
    with pytest.raises(DataError, match="atom_code -1"):
        atom_features(torch.tensor([-1]))


@pytest.mark.parametrize("smiles", ["C", "[Na+].[Cl-]", "[He]", "F[P-](F)(F)(F)(F)F", "[2H]C"])
def test_odd_molecules_have_features(smiles: str) -> None:
    atoms, edges, _ = dense(featurise(parse(smiles)))
    assert np.isfinite(atoms).all()
    assert np.isfinite(edges).all()


def test_an_element_without_a_column_is_a_block_of_zeros() -> None:
    atoms, _, _ = dense(featurise(parse("[He]")))
    assert not atoms[0, :43].any()


@pytest.mark.fault("F26")
@pytest.mark.parametrize(
    ("smiles", "message"),
    [
        ("", "empty"),
        ("C(", "cannot parse"),
        ("C(C)(C)(C)(C)C", "valence"),
        ("c1cc1c", "kekul|arom"),
    ],
)
def test_what_is_no_molecule_is_refused_with_the_reason(smiles: str, message: str) -> None:
    with pytest.raises(DataError, match=f"(?i){message}"):
        parse(smiles)


def test_valences_unknown_to_rdkit_are_let_through_on_request() -> None:
    with pytest.raises(DataError):
        parse("[Al-](F)(F)(F)(F)(F)(F)F")
    assert parse("[Al-](F)(F)(F)(F)(F)(F)F", lax=True).GetNumAtoms() == 8
