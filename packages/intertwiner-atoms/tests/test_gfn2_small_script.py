"""The script that generates ``gfn2-small``, and the shipped file against it."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"
SHIPPED = Path(__file__).parents[1] / "src" / "intertwiner_atoms" / "data" / "gfn2_small.npz"

for needed in ("rdkit", "scipy", "tblite"):
    pytest.importorskip(
        needed, reason=f"generating gfn2-small needs {needed}: pip install {needed}"
    )
sys.path.insert(0, str(SCRIPTS))

from gfn2_small import arrays, generate, geometry, labels, pack, recipe, splits  # noqa: E402
from gfn2_small.compute import compute  # noqa: E402
from gfn2_small.enumerate_molecules import FIRST_LEVEL, accepted_only, next_level  # noqa: E402
from gfn2_small.filters import FILTERS, reason_to_reject  # noqa: E402
from gfn2_small.selection import candidates, elements, stratified  # noqa: E402
from gfn2_small.worklog import WorkLog  # noqa: E402
from rdkit import Chem  # noqa: E402

REJECTED_AND_KEPT = {
    "oxygen-oxygen bond": ("COOC", "COC"),
    "fluorine on a heteroatom": ("NF", "CF"),
    "dinitrogen": ("N#N", "C#N"),
    "chain of three nitrogens or oxygens outside a five-ring": ("CN(N)N", "c1nn[nH]n1"),
    "cumulated double bonds": ("C=C=C", "C=CC=C"),
    "double bond in a ring of three or four": ("C1=CCC1", "C=C1CCC1"),
    "triple bond in a ring": ("C1#CCCCCC1", "CC#CC"),
    "double bond at a bridgehead": ("C1CC2=CC1CC2", "C1CC2=C(C1)CCC2"),
    "enol or ynol": ("C=CO", "C=CCO"),
    "imine or diazene with hydrogen on nitrogen": ("CC=N", "CC=NC"),
    "gem-diol or hemiaminal": ("NCO", "NCCO"),
    "ring of more than 7": ("C1CCCCCCC1", "C1CCCCCC1"),
    "cage of three small rings at one atom": ("C12C3C1C23", "C1C2CC12"),
}
SMALL_RECIPE = recipe.Recipe(exhaustive_heavy_atoms=2, sampled_candidates={})


@pytest.fixture(scope="module")
def levels() -> dict[int, tuple[set[str], list[str]]]:
    """Heavy atoms -> (everything enumerated, what passes the filters)."""
    enumerated = set(FIRST_LEVEL)
    found = {1: (enumerated, accepted_only(enumerated))}
    for heavy_atoms in (2, 3, 4):
        enumerated = next_level(found[heavy_atoms - 1][1])
        found[heavy_atoms] = (enumerated, accepted_only(enumerated))
    return found


@pytest.fixture(scope="module")
def shipped() -> tuple[arrays.Arrays, pack.Meta]:
    return pack.unpacked(SHIPPED)


# Enumeration and filters


def test_every_filter_has_an_example() -> None:
    assert [rule.name for rule in FILTERS] == list(REJECTED_AND_KEPT)


@pytest.mark.parametrize("rule", FILTERS, ids=lambda rule: rule.name)
def test_a_filter_rejects_its_structure_and_keeps_a_similar_one(rule: Any) -> None:
    rejected, kept = REJECTED_AND_KEPT[rule.name]
    assert rule.rejects(Chem.MolFromSmiles(rejected))
    assert reason_to_reject(Chem.MolFromSmiles(kept)) is None


@pytest.mark.parametrize("smiles", ["C1=CC1", "C1C2=C1C2", "OO", "C#CO", "N=NC", "OC(C)O"])
def test_further_structures_that_must_be_rejected(smiles: str) -> None:
    assert reason_to_reject(Chem.MolFromSmiles(smiles)) is not None


@pytest.mark.parametrize(
    "smiles", ["c1ccccc1", "c1cc[nH]c1", "CC(=O)O", "Oc1ccco1", "C1CC2CC1C=C2"]
)
def test_familiar_molecules_are_kept(smiles: str) -> None:
    assert reason_to_reject(Chem.MolFromSmiles(smiles)) is None


def test_the_first_levels_have_the_expected_numbers(
    levels: dict[int, tuple[set[str], list[str]]],
) -> None:
    counts = {n: (len(enumerated), len(kept)) for n, (enumerated, kept) in levels.items()}
    assert counts == {1: (4, 4), 2: (18, 11), 3: (81, 36), 4: (488, 201)}


def test_enumerated_molecules_are_canonical_neutral_and_of_their_level(
    levels: dict[int, tuple[set[str], list[str]]],
) -> None:
    for heavy_atoms, (enumerated, _) in levels.items():
        for smiles in enumerated:
            molecule = Chem.MolFromSmiles(smiles)
            assert molecule.GetNumAtoms() == heavy_atoms
            assert Chem.MolToSmiles(molecule) == smiles
            assert all(a.GetFormalCharge() == 0 for a in molecule.GetAtoms())
            assert all(a.GetNumRadicalElectrons() == 0 for a in molecule.GetAtoms())


def test_enumeration_does_not_depend_on_the_order_of_the_parents(
    levels: dict[int, tuple[set[str], list[str]]],
) -> None:
    parents = levels[3][1]
    assert next_level(parents) == next_level(reversed(parents))


def test_five_rings_of_nitrogen_are_reached_through_rejected_chains() -> None:
    assert "c1nn[nH]n1" in next_level(["NCNN", "CNN", "NN=CN"])


# Selection


def test_drawing_serves_every_set_of_elements_in_turn(
    levels: dict[int, tuple[set[str], list[str]]],
) -> None:
    level = levels[4][1]
    drawn = stratified(7, "test", level, 40)
    available = Counter(elements(smiles) for smiles in level)
    taken = Counter(elements(smiles) for smiles in drawn)
    assert len(set(drawn)) == 40
    fullest = max(taken.values())
    assert all(taken[key] >= min(available[key], fullest - 1) for key in available)


def test_drawing_more_than_there_is_gives_everything() -> None:
    assert sorted(stratified(7, "test", ["C", "N", "CC"], 10)) == ["C", "CC", "N"]


def test_candidates_are_the_same_every_time_and_another_order_for_another_seed() -> None:
    small = replace(SMALL_RECIPE, exhaustive_heavy_atoms=3)
    first, again, other = candidates(small), candidates(small), candidates(replace(small, seed=1))
    assert first == again != other
    assert sorted(first) == sorted(other)
    assert len(first) == len(set(first)) == 4 + 11 + 36


def test_larger_levels_are_sampled_to_their_quota() -> None:
    sampled = recipe.Recipe(
        exhaustive_heavy_atoms=2, sampled_candidates={3: 9}, sampled_parents={3: 6}
    )
    sizes = Counter(Chem.MolFromSmiles(s).GetNumAtoms() for s in candidates(sampled))
    assert sizes == {1: 4, 2: 11, 3: 9}


# Geometry and labels


def test_rounding_moves_no_coordinate_by_more_than_half_a_step() -> None:
    positions = np.random.default_rng(0).normal(size=(9, 3))
    stored = geometry.quantised(positions, 0.0005)
    difference = geometry.dequantised(stored, 0.0005) - (positions - positions.mean(axis=0))
    assert stored.dtype == np.int16
    assert np.abs(difference).max() <= 0.00025 + 1e-12


def test_a_stretched_bond_counts_as_rearranged() -> None:
    molecule = Chem.AddHs(Chem.MolFromSmiles("CO"))
    positions = geometry.embedded(molecule, seed=3)
    assert geometry.keeps_its_bonds(molecule, positions, 1.25)
    positions[1:2] += 1.5
    assert not geometry.keeps_its_bonds(molecule, positions, 1.25)


def test_impossible_stereochemistry_is_counted_as_not_embedded() -> None:
    molecule = Chem.AddHs(Chem.MolFromSmiles("C1C[C@H]2C[C@H]1O2"))
    with pytest.raises(geometry.Rejected, match="not embedded"):
        geometry.embedded(molecule, seed=3)


def test_turning_keeps_distances_and_depends_on_the_molecule_alone() -> None:
    positions = np.random.default_rng(0).normal(size=(5, 3))
    turned = geometry.turned(SMALL_RECIPE, "CC", positions)
    np.testing.assert_array_equal(turned, geometry.turned(SMALL_RECIPE, "CC", positions))
    np.testing.assert_allclose(turned @ turned.T, positions @ positions.T, atol=1e-12)
    assert np.abs(turned - geometry.turned(SMALL_RECIPE, "CN", positions)).max() > 0.1


def test_water_has_the_labels_of_water() -> None:
    water = compute(SMALL_RECIPE, "O")
    assert water.numbers.tolist() == [8, 1, 1]
    assert water.labels.energy_eV == pytest.approx(-5.070544 * labels.HARTREE_EV, abs=1e-3)
    assert np.linalg.norm(water.labels.dipole_D) == pytest.approx(2.2, abs=0.1)
    assert np.abs(water.labels.forces_eV_per_A).max() < 0.1
    assert water.labels.charges_e.sum() == pytest.approx(0, abs=1e-6)
    assert water.labels.quadrupole_au[[0, 2, 5]].sum() == pytest.approx(0, abs=1e-9)
    assert water.labels.homo_eV < water.labels.lumo_eV
    assert np.linalg.eigvalsh(water.polarizability_bohr3).min() > 0
    assert water.displaced_labels.energy_eV > water.labels.energy_eV


def test_forces_are_the_slope_of_the_energy() -> None:
    engine = labels.Engine(np.array([6, 8, 1, 1]), label_accuracy=0.01)
    positions = np.array([[0.0, 0, 0], [1.2, 0.1, 0], [-0.6, 0.9, 0], [-0.6, -0.9, 0.1]])
    step = np.zeros((4, 3))
    step[1, 0] = 1e-3
    rise = engine.labels(positions + step).energy_eV - engine.labels(positions - step).energy_eV
    force = engine.labels(positions).forces_eV_per_A[1, 0]
    assert force == pytest.approx(-rise / 2e-3, rel=1e-3)


# Splits

SOME_SMILES = ["C", "N", "O", "CC", "CO", "CN", "CCO", "COC", "CCC", "CC=O", "C1CO1", "NCC", "CNC"]


def test_isomers_are_on_one_side_of_the_formula_split() -> None:
    split = splits.formula_split(SOME_SMILES)
    sides: dict[str, set[int]] = {}
    for smiles, part in zip(SOME_SMILES, split, strict=True):
        sides.setdefault(splits.formula(smiles), set()).add(int(part))
    assert all(len(parts) == 1 for parts in sides.values())
    assert len(sides) < len(SOME_SMILES)


def test_the_random_split_of_a_molecule_ignores_the_others() -> None:
    assert (
        splits.random_split(SOME_SMILES)[3:].tolist()
        == splits.random_split(SOME_SMILES[3:]).tolist()
    )


def test_the_size_split_tests_on_seven_heavy_atoms_alone() -> None:
    split = splits.size_split(["CCCCCCC", "CCCCCC", "C"])
    assert split[0] == splits.TEST
    assert splits.TEST not in split[1:]


# Packing and resuming


def test_packing_and_unpacking_give_back_the_same(tmp_path: Path) -> None:
    content = {"b": np.arange(6, dtype=np.int16).reshape(2, 3), "a": np.array([b"CC", b"C#N"])}
    meta = {"unit": "Å", "seed": 3}
    path = tmp_path / "file.npz"
    pack.write_atomically(path, pack.packed(content, meta))
    arrays_again, meta_again = pack.unpacked(path)
    assert meta_again == meta
    assert arrays_again.keys() == content.keys()
    for key, values in content.items():
        np.testing.assert_array_equal(arrays_again[key], values)
        assert arrays_again[key].dtype == values.dtype
    assert [file.name for file in tmp_path.iterdir()] == ["file.npz"]


def test_packing_ignores_the_order_of_the_keys() -> None:
    one, two = np.arange(3), np.arange(4)
    assert pack.packed({"a": one, "b": two}, {}) == pack.packed({"b": two, "a": one}, {})


def test_outcomes_survive_the_work_file(tmp_path: Path) -> None:
    row = arrays.row(compute(SMALL_RECIPE, "C"))
    with WorkLog(tmp_path / "work", {"seed": 1}) as log:
        log.append(row)
        log.append("rearranged")
    with WorkLog(tmp_path / "work", {"seed": 1}) as log:
        recovered, reason = log.outcomes
    assert reason == "rearranged"
    assert not isinstance(recovered, str)
    for key, values in row.items():
        assert recovered[key].dtype == values.dtype
        assert recovered[key].tobytes() == values.tobytes()


def test_a_work_file_of_another_recipe_is_refused(tmp_path: Path) -> None:
    with WorkLog(tmp_path / "work", {"seed": 1}) as log:
        log.append("rearranged")
    with pytest.raises(ValueError, match="another recipe"):
        WorkLog(tmp_path / "work", {"seed": 2})


def test_an_interrupted_run_continues_to_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, resumed, work = (tmp_path / name for name in ("whole.npz", "resumed.npz", "work"))
    generate.generate(SMALL_RECIPE, whole, tmp_path / "other", count=5)
    calls: list[str] = []

    def interrupted(_: recipe.Recipe, smiles: str) -> Any:
        calls.append(smiles)
        if len(calls) > 3:
            raise KeyboardInterrupt
        return compute(SMALL_RECIPE, smiles)

    monkeypatch.setattr(generate, "compute", interrupted)
    with pytest.raises(KeyboardInterrupt):
        generate.generate(SMALL_RECIPE, resumed, work, count=5)
    monkeypatch.undo()
    assert not resumed.exists()
    with work.open("a") as stream:
        stream.write('{"half a li')
    generate.generate(SMALL_RECIPE, resumed, work, count=5)
    assert resumed.read_bytes() == whole.read_bytes()
    assert not work.exists()


def test_a_molecule_left_out_is_counted_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_fluorine(chosen: recipe.Recipe, smiles: str) -> Any:
        if "F" in smiles:
            raise geometry.Rejected("rearranged")
        return compute(chosen, smiles)

    monkeypatch.setattr(generate, "compute", without_fluorine)
    one_atom = replace(SMALL_RECIPE, exhaustive_heavy_atoms=1)
    generate.generate(one_atom, tmp_path / "out.npz", tmp_path / "work")
    _, meta = pack.unpacked(tmp_path / "out.npz")
    assert meta["left_out"] == {"rearranged": 1}
    assert (meta["candidates"], meta["molecules"]) == (4, 3)


def test_two_runs_of_the_command_give_the_same_bytes(tmp_path: Path) -> None:
    files = [tmp_path / "first.npz", tmp_path / "second.npz"]
    for file in files:
        command = [sys.executable, "-m", "gfn2_small", "--exhaustive-only", "--count", "5"]
        subprocess.run(
            [*command, "--out", str(file)],
            cwd=SCRIPTS,
            check=True,
            capture_output=True,
            env=os.environ | {"PYTHONWARNINGS": "error"},
        )
    assert files[0].read_bytes() == files[1].read_bytes()
    content, meta = pack.unpacked(files[0])
    assert set(content) == set(arrays.DESCRIPTIONS) == set(meta["arrays"])
    assert meta["candidates"] == 5


# The shipped file


def test_the_shipped_file_has_the_described_arrays(
    shipped: tuple[arrays.Arrays, pack.Meta],
) -> None:
    content, meta = shipped
    molecules, atoms = len(content["n_atoms"]), int(content["n_atoms"].sum())
    assert meta["arrays"] == arrays.DESCRIPTIONS
    assert meta["molecules"] == molecules
    for key, description in arrays.DESCRIPTIONS.items():
        dtype, _, shape = description.partition(":")[0].partition(" [")
        assert content[key].dtype.name == dtype or content[key].dtype.kind == "S"
        assert len(content[key]) == (atoms if shape.startswith("A") else molecules)


def test_the_shipped_file_was_made_with_this_recipe(
    shipped: tuple[arrays.Arrays, pack.Meta],
) -> None:
    _, meta = shipped
    current = json.loads(json.dumps(generate.identity(recipe.Recipe())))
    assert meta["script_version"] == current["script_version"]
    assert meta["recipe"] == current["recipe"]
    assert meta["filters"] == [rule.name for rule in FILTERS]


def test_the_shipped_splits_are_those_of_the_script(
    shipped: tuple[arrays.Arrays, pack.Meta],
) -> None:
    content, _ = shipped
    smiles = [text.decode() for text in content["smiles"]]
    assert len(set(smiles)) == len(smiles)
    for name, split in (
        ("random", splits.random_split),
        ("formula", splits.formula_split),
        ("size", splits.size_split),
    ):
        np.testing.assert_array_equal(content[f"split_{name}"], split(smiles))
    for name in ("random", "formula"):
        shares = np.bincount(content[f"split_{name}"]) / len(smiles)
        np.testing.assert_allclose(shares, [0.8, 0.1, 0.1], atol=0.02)


def test_the_readme_states_the_counts_of_the_shipped_file(
    shipped: tuple[arrays.Arrays, pack.Meta],
) -> None:
    content, meta = shipped
    readme = " ".join((SCRIPTS / "gfn2_small" / "README.md").read_text().split())
    assert f"Of {meta['candidates']:,} candidates {meta['molecules']:,} are in the file" in readme
    reasons = {
        "rearranged": "whose bonds changed",
        "not embedded": "that could not be embedded",
        "self-consistent field not converged": "whose self-consistent field did not converge",
    }
    assert meta["left_out"].keys() == reasons.keys()
    assert all(f"{meta['left_out'][key]} {words}" in readme for key, words in reasons.items())
    sizes = meta["molecules_by_heavy_atoms"].values()
    assert f"| molecules | {' | '.join(f'{number:,}' for number in sizes)} |" in readme
    for name in ("random", "formula", "size"):
        parts = np.bincount(content[f"split_{name}"]).tolist()
        assert f"| `{name}` | {' | '.join(f'{number:,}' for number in parts)} |" in readme


@pytest.mark.parametrize("element", [7, 8, 9])
def test_a_quarter_of_the_shipped_molecules_hold_each_heteroatom(
    shipped: tuple[arrays.Arrays, pack.Meta], element: int
) -> None:
    content, _ = shipped
    owner = np.repeat(np.arange(len(content["n_atoms"])), content["n_atoms"])
    assert len(np.unique(owner[content["z"] == element])) >= 0.25 * len(content["n_atoms"])


@pytest.mark.parametrize("index", [0, 1_000, -1])
def test_shipped_labels_are_reproduced(
    shipped: tuple[arrays.Arrays, pack.Meta], index: int
) -> None:
    content, meta = shipped
    ends = np.cumsum(content["n_atoms"])
    atoms = slice(int(ends[index] - content["n_atoms"][index]), int(ends[index]))
    step = meta["recipe"]["position_step_A"]
    engine = labels.Engine(content["z"][atoms].astype(np.int64), meta["recipe"]["label_accuracy"])
    for prefix in ("", "displaced_"):
        positions = geometry.dequantised(content[f"{prefix}positions_0p0005A"][atoms], step)
        again = engine.labels(positions)
        assert again.energy_eV == pytest.approx(content[f"{prefix}energy_eV"][index], abs=2e-6)
        stored_forces = content[f"{prefix}forces_meV_A"][atoms] * 1e-3
        np.testing.assert_allclose(again.forces_eV_per_A, stored_forces, atol=6e-4)
        np.testing.assert_allclose(again.dipole_D, content[f"{prefix}dipole_D"][index], atol=2e-5)
    positions = geometry.dequantised(content["positions_0p0005A"][atoms], step)
    again = engine.labels(positions)
    np.testing.assert_allclose(again.charges_e, content["charges_0p0001e"][atoms] * 1e-4, atol=6e-5)
    np.testing.assert_allclose(again.quadrupole_au, content["quadrupole_au"][index], atol=2e-5)
    assert again.homo_eV == pytest.approx(float(content["homo_eV"][index]), abs=2e-5)
    assert again.lumo_eV == pytest.approx(float(content["lumo_eV"][index]), abs=2e-5)
    tensor = engine.polarizability_bohr3(positions, meta["recipe"]["field_step_au"])
    six = tensor[[0, 0, 1, 0, 1, 2], [0, 1, 1, 2, 2, 2]]
    np.testing.assert_allclose(six, content["polarizability_bohr3"][index], atol=2e-3)
