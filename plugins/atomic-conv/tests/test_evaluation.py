"""Folds keep apart what they promise; metrics and controls are what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Data

from intertwiner.errors import ConfigError, DataError
from intertwiner_atomic_conv.config import OpenComplexesConfig
from intertwiner_atomic_conv.datasets.open_complexes import clean, load, read_file
from intertwiner_atomic_conv.datasets.protein_groups import protein_groups, similarity
from intertwiner_atomic_conv.evaluation import folds, metrics
from intertwiner_atomic_conv.evaluation.controls import available_controls
from intertwiner_atomic_conv.evaluation.descriptors import Descriptors
from intertwiner_atomic_conv.evaluation.models import pooled, pooled_apart, pooled_permuted
from intertwiner_atomic_conv.evaluation.predictions import Predictions, PredictionStore
from intertwiner_atomic_conv.evaluation.table import compare, markdown, verdicts
from intertwiner_atomic_conv.evaluation.wrong_pocket import in_other_pockets, partners
from intertwiner_atomic_conv.pooled.model import Features

WORDS = st.lists(st.sampled_from(["ALA", "GLY", "SER"]), min_size=1, max_size=12)


def longest_common(a: list[str], b: list[str]) -> int:
    table = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1, j + 1] = (
                table[i, j] + 1 if x == y else max(table[i, j + 1], table[i + 1, j])
            )
    return int(table[-1, -1])


@given(a=WORDS, b=WORDS)
def test_similarity_is_the_longest_common_subsequence(a: list[str], b: list[str]) -> None:
    assert similarity(a, b) == longest_common(a, b) / min(len(a), len(b))


def test_series_of_one_protein_are_one_group() -> None:
    first = ["ALA", "GLY", "SER", "VAL", "LEU", "ILE"] * 3
    other = ["TRP", "TYR", "PHE", "HIS", "LYS", "ARG"] * 3
    rows = [first, other, ["HOH", *first[:-2], "ZN"], other[1:]]
    assert protein_groups(rows) == [0, 1, 0, 1]
    assert protein_groups(rows, joined={0: 1}) == [0, 0, 0, 0]


@given(groups=st.lists(st.integers(0, 9), min_size=30, max_size=60), seed=st.integers(0, 5))
def test_a_group_is_never_in_two_folds(groups: list[int], seed: int) -> None:
    if len(set(groups)) < 3:
        return
    fold = folds.grouped(groups, 3, seed)
    for group in set(groups):
        assert len(set(fold[np.array(groups) == group])) == 1


def test_too_few_groups_are_refused() -> None:
    with pytest.raises(ConfigError, match="5 folds need >= 5 groups, data has 3"):
        folds.grouped([0, 1, 2] * 9, 5, 0)


def test_the_temporal_split_is_past_to_future_and_the_papers_is_not() -> None:
    years = np.arange(100) // 10 + 2000
    test = folds.temporal(years.tolist())
    assert years[test == 0].max() < years[test == 1].min()
    assert test.mean() == pytest.approx(0.2)
    papers = folds.year_stratified(years.tolist(), 0)
    assert set(years[papers == 1]) == set(years[papers == 0]) == set(years)
    with pytest.raises(ConfigError, match="more than one year"):
        folds.temporal([2000] * 5)


def test_stratification_takes_two_of_every_ten_and_drops_none() -> None:
    test = folds.stratified(np.random.default_rng(0).normal(size=25).tolist(), 0)
    assert len(test) == 25
    assert test.sum() == 5


def test_scaffolds_stay_whole() -> None:
    pytest.importorskip("rdkit")
    smiles = ["c1ccccc1C", "c1ccccc1CC", "C1CCCCC1", "C1CCCCC1O", "c1ccncc1", ""]
    fold = folds.scaffold(smiles, 3)
    assert fold[0] == fold[1]
    assert fold[2] == fold[3]


def test_metrics_of_perfect_and_of_constant_predictions() -> None:
    generator = np.random.default_rng(0)
    truth, groups = generator.normal(size=60), np.repeat([0, 1], 30)
    size = generator.normal(size=60)
    perfect = metrics.figures(truth, truth, groups, size)
    assert perfect["R"] == perfect["rho"] == pytest.approx(1.0)
    assert perfect["RMSE"] == 0.0
    assert perfect["within tau"] == perfect["determination"] == pytest.approx(1.0)
    constant = metrics.figures(np.zeros(60), truth, groups, size)
    assert constant["R"] == constant["within tau"] == 0.0
    assert constant["determination"] <= 0.0


def test_size_alone_has_no_order_beyond_size() -> None:
    generator = np.random.default_rng(0)
    size = generator.normal(size=40)
    truth = size + 0.3 * generator.normal(size=40)
    found = metrics.figures(2 * size + 1, truth, np.zeros(40, dtype=int), size)
    assert found["within tau"] > 0.5
    assert abs(found["within tau beyond size"]) < 1e-9


def test_kendall_is_that_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    generator = np.random.default_rng(1)
    a, b = generator.integers(0, 6, (2, 40)).astype(float)
    assert metrics.kendall(a, b) == pytest.approx(stats.kendalltau(a, b).statistic)
    assert metrics.spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)


def invented(count: int = 120) -> Descriptors:
    """Complexes whose label is in the shells, with protein groups of ten."""
    generator = torch.Generator().manual_seed(0)
    shells = torch.rand(count, 105, generator=generator, dtype=torch.float64)
    y = 6 + 3 * (shells[:, :10].mean(1) - 0.5).numpy() * 10
    group = np.repeat(np.arange(count // 10), 10)
    return Descriptors(
        y=y,
        group=group,
        size=np.random.default_rng(0).integers(10, 40, count).astype(float),
        rf_score=np.exp(shells[:, :36].numpy()),
        ligand=np.random.default_rng(1).random((count, 8)),
        protein=np.eye(count // 10)[group],
        shells=Features(shells, shells[:, :36], torch.zeros(count, dtype=torch.float64)),
        elsewhere=Features(
            shells.flip(0), shells[:, :36].flip(0), torch.zeros(count, dtype=torch.float64)
        ),
        smiles=("",) * count,
    )


def test_the_table_tells_learning_from_controls() -> None:
    methods = {
        "mean": available_controls()["mean"],
        "heavy-atom count": available_controls()["heavy-atom count"],
        "RF-Score v1 (forest)": available_controls()["nearest neighbour"],
        "pooled": pooled,
        "permuted": pooled_permuted,
        "apart": pooled_apart,
    }
    found = compare(invented(), methods, "target", [0], folds=3)
    assert found.column("pooled", "R")[0] > 0.5
    assert abs(found.column("permuted", "R")[0]) < 0.35
    assert abs(found.column("apart", "R")[0]) < 0.35
    text = markdown(found, "120 complexes")
    assert "RMSE [pK]" in text
    assert "| pooled |" in text
    assert any(line.startswith("permuted: not better") for line in verdicts(found, ["permuted"]))


def test_a_comparison_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    data, store = invented(), PredictionStore(tmp_path / "kept")
    methods = dict(available_controls())
    methods = {name: methods[name] for name in ("mean", "heavy-atom count")}
    whole = compare(data, methods, "random", [0, 1])
    stopped = compare(data, methods, "random", [0, 1], store=store, stop_at=-1.0)
    assert stopped.left == [(shuffle, name) for shuffle in (0, 1) for name in methods]
    assert any("run again" in line for line in verdicts(stopped, []))
    compare(data, {"mean": methods["mean"]}, "random", [0], store=store)
    again = compare(data, methods, "random", [0, 1], store=store)
    kept = compare(data, methods, "random", [0, 1], store=store, stop_at=-1.0)
    assert whole.figures == again.figures == kept.figures
    assert not kept.left


@pytest.mark.fault("F05")
def test_predictions_of_other_data_are_refused(tmp_path: Path) -> None:
    store = PredictionStore(tmp_path)
    store.put(Predictions("random", 0, "mean", (1.0, 2.0), 0.1))
    with pytest.raises(DataError, match="2 predictions for 3 complexes; it is of other data"):
        store.get("random", 0, "mean", 3)
    (tmp_path / "random-0" / "mean.json").write_text("{")
    with pytest.raises(DataError, match="not a file of predictions"):
        store.get("random", 0, "mean", 2)


def test_a_wrong_pocket_is_another_proteins_about_the_same_place(
    make_complex: Callable[..., Data],
) -> None:
    records = [make_complex(30 + 5 * seed, 4 + seed, seed) for seed in range(6)]
    for number, record in enumerate(records):
        record.group = torch.tensor([number // 2])
        record.residue_kind = record.part.clone()
    chosen = partners([int(record.group) for record in records])
    assert all(a // 2 != b // 2 for a, b in enumerate(chosen))
    moved = in_other_pockets(records)
    for number, (record, swapped) in enumerate(zip(records, moved, strict=True)):
        ligand = swapped.part == 1
        torch.testing.assert_close(swapped.pos[ligand], record.pos[record.part == 1])
        other = records[chosen[number]]
        gaps = [x.pos[x.part == 1].mean(0) - x.pos[x.part != 1].mean(0) for x in (swapped, other)]
        torch.testing.assert_close(*gaps)


def test_the_open_complexes_have_the_faults_the_loader_knows(open_complexes: Path) -> None:
    file = read_file(open_complexes)
    found = clean(file)
    assert (len(found.row), found.groups) == (1191, 48)
    assert (len(found.relative), len(found.overlap)) == (23, 100)
    assert found.replicated == 447


def test_splits_of_the_open_complexes_keep_proteins_apart(open_complexes: Path) -> None:
    dataset = load(OpenComplexesConfig(path=str(open_complexes)))
    parts = [
        {int(record.group) for record in dataset.part(part, "target")}
        for part in ("train", "validation", "test")
    ]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]


def test_what_the_loader_leaves_out_it_says(
    open_complexes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with np.load(open_complexes, allow_pickle=False) as file:
        arrays = dict(file)
    arrays["pk"][5] = np.nan
    np.savez(tmp_path / "some.npz", **arrays)
    with caplog.at_level("WARNING"):
        load(OpenComplexesConfig(path=str(tmp_path / "some.npz")))
    assert "opls_stress/cr_bace1 looks relative (mean" in caplog.text
    assert f"{arrays['id'][5]} left out: no finite label" in caplog.text
    arrays["pk"][:] = np.nan
    np.savez(tmp_path / "none.npz", **arrays)
    with pytest.raises(DataError, match="none of the complexes has a finite label"):
        load(OpenComplexesConfig(path=str(tmp_path / "none.npz")))


@pytest.mark.fault("F05")
def test_another_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", id=np.arange(3))
    with pytest.raises(DataError, match="no array 'src'"):
        read_file(tmp_path / "x.npz")
    np.savez(tmp_path / "y.npz", id=np.array([object()], dtype=object))
    with pytest.raises(DataError):
        read_file(tmp_path / "y.npz")
    with pytest.raises(ConfigError, match="--data.path FILE"):
        load(OpenComplexesConfig())
