"""A recipe trains every arm with every seed, and its figures stand beside the published ones."""

from __future__ import annotations

import pytest

from intertwiner.errors import ConfigError
from intertwiner.training.folder import RunFolder
from intertwiner.training.recipes import reproduce


@pytest.fixture
def recipe(registry):
    return registry.recipe("widths")


def test_every_arm_is_trained_with_every_seed(registry, recipe, tmp_path):
    report = reproduce(registry, recipe, "small", tmp_path, progress=False)
    assert {row[:2] for row in report.rows} == {(a, s) for a in ("narrow", "wide") for s in "01"}
    (figure,) = report.figures
    assert (figure.published, figure.source, figure.seeds) == (1.0, "nowhere", 2)
    config = RunFolder(tmp_path / "narrow" / "seed-1").read_config()
    assert config["model"]["channels"] == 2
    assert config["training"]["seed"] == 1
    assert config["training"]["epochs"] == 2


def test_finished_arms_are_kept_when_it_is_run_again(registry, recipe, tmp_path):
    first = reproduce(registry, recipe, "small", tmp_path, progress=False)
    weights = tmp_path / "wide" / "seed-0" / "model.safetensors"
    before = weights.stat().st_mtime_ns
    second = reproduce(registry, recipe, "small", tmp_path, progress=False)
    assert weights.stat().st_mtime_ns == before
    assert first.rows == second.rows


def test_an_unknown_scale_names_the_known_ones(registry, recipe, tmp_path):
    with pytest.raises(ConfigError, match="'smal'.*did you mean 'small'"):
        reproduce(registry, recipe, "smal", tmp_path)
