"""Reports: what they count, and that errors are taken over clusters."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from intertwiner.registry import load_registry
from intertwiner.training.recipes import arm_config
from intertwiner_steerable3d.recipes import propensity_report, recipes, tetris_report
from intertwiner_steerable3d.recipes.propensity_report import Score, cluster_error
from intertwiner_steerable3d.view.residues import confusion


@pytest.mark.parametrize("recipe", ["tetris", "propensity"])
def test_every_arm_of_every_scale_has_settings_that_build(recipe):
    registry = load_registry()
    spec = registry.recipe(f"steerable3d/{recipe}").spec
    for scale in spec.scales.values():
        for arm in scale.arms or spec.arms:
            arm_config(registry, spec, scale, arm, 0)


def test_arms_have_names_of_their_own():
    for recipe in recipes():
        for scale in recipe.scales.values():
            names = [arm.name for arm in scale.arms or recipe.arms]
            assert len(set(names)) == len(names)


def test_the_error_over_clusters_is_that_of_independent_residues_when_each_is_its_own():
    hits = (torch.rand(4000, generator=torch.Generator().manual_seed(0)) < 0.3).double()
    alone = cluster_error(hits, torch.arange(4000))
    assert alone == pytest.approx((0.3 * 0.7 / 4000) ** 0.5, rel=0.1)
    shared = cluster_error(hits.sort().values, torch.arange(4000) // 100)
    assert shared > 3 * alone


def test_confusions_are_counted_by_row():
    found = confusion(torch.tensor([1, 1, 2]), torch.tensor([1, 0, 2]))
    assert found[0, 1] == found[1, 1] == found[2, 2] == 1
    assert int(found.sum()) == 3


def scores(right, residues=2000, seed=0):
    draw = torch.Generator().manual_seed(seed)
    truth = torch.randint(20, (residues,), generator=draw)
    told = torch.where(torch.rand(residues, generator=draw) < right, truth, (truth + 1) % 20)
    table = torch.nn.functional.one_hot(told, 20).double()
    return Score(table, truth, torch.arange(residues) // 50, 0.5, 1000)


def test_the_report_of_propensity_compares_with_the_control(monkeypatch, tmp_path):
    made = {"steerable": scores(0.4), "counts": scores(0.3), "counts-500": scores(0.2)}
    monkeypatch.setattr(propensity_report, "load_run", lambda folder: folder)
    monkeypatch.setattr(propensity_report, "_score", lambda folder: made[folder])
    monkeypatch.setattr(propensity_report, "draw_all", lambda drawings: ([], ["no picture"]))
    results = [
        SimpleNamespace(arm=arm, folder=arm, parameters=10, seconds=1.0, seed=0) for arm in made
    ]
    found = propensity_report.report(results, tmp_path)
    figures = {figure.name: figure.value for figure in found.figures}
    assert figures["steerable/accuracy"] == pytest.approx(0.4, abs=0.03)
    assert figures["steerable - counts"] == pytest.approx(0.1, abs=0.03)
    assert figures["steerable - counts/standard error"] > 0
    assert [row[0] for row in found.rows] == list(made)
    assert "no picture" in found.notes


def test_learning_curves_join_the_arms_of_one_model():
    curves = propensity_report._curves({"counts": [scores(0.3)], "counts-500": [scores(0.2)]})
    assert list(curves) == ["counts"]


def test_a_tetris_arm_that_has_not_learned_its_pieces_does_not_count():
    score = tetris_report.Score(0.9, 0.95, 0.9, 0.1)
    (remark,) = tetris_report._remarks({"steerable": [score]})
    assert "DOES NOT COUNT" in remark
    assert tetris_report._remarks({"steerable": [score._replace(training=1.0)]}) == []


def test_an_invariant_network_does_not_change_under_rotation():
    truth = torch.arange(8).repeat(5)
    told = torch.eye(8)[truth]
    assert tetris_report.change_under_rotation(told, truth) == 0
    noisy = told + torch.randn(told.shape, generator=torch.Generator().manual_seed(0))
    assert tetris_report.change_under_rotation(noisy, truth) > 1
