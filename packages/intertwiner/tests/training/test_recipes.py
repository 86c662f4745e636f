"""A recipe trains every arm with every seed, and its figures stand beside the published ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intertwiner.errors import ConfigError, RunError
from intertwiner.federated import train_arm
from intertwiner.specs import Arm
from intertwiner.training.folder import RunFolder
from intertwiner.training.recipes import arm_config, reproduce


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


def test_a_scale_may_have_its_own_arms(registry, recipe, tmp_path):
    arms = (Arm(name="single", overrides={"model.channels": 1}),)
    small = replace(recipe.spec.scales["small"], arms=arms, seeds=(0,))
    spec = replace(
        recipe.spec, scales={"small": small}, report="toy_plugin.recipes:report_of_names"
    )
    report = reproduce(registry, replace(recipe, spec=spec), "small", tmp_path, progress=False)
    assert report.rows == (("single",),)


def test_a_scale_may_name_a_dataset_and_an_arm_a_model(registry, recipe):
    spec = replace(recipe.spec, model="toy/absent", dataset="toy/absent")
    scale = replace(recipe.spec.scales["small"], dataset="toy/pairs")
    arm = Arm(name="wide", overrides={"model.channels": 8}, model="toy/distance-net")
    config = arm_config(registry, spec, scale, arm, 3)
    assert (config.model, config.dataset) == ("toy/distance-net", "toy/pairs")
    assert (config.model_settings.channels, config.training.seed) == (8, 3)


def test_an_unknown_scale_names_the_known_ones(registry, recipe, tmp_path):
    with pytest.raises(ConfigError, match="'smal'.*did you mean 'small'"):
        reproduce(registry, recipe, "smal", tmp_path)


def test_an_arm_with_an_aggregator_is_trained_over_clients(registry, recipe, tmp_path):
    arm = Arm(
        name="over-clients",
        overrides={"federation.clients": 2, "federation.rounds": 2},
        dataset="toy/pairs",
        aggregator="toy/mean",
    )
    small = replace(recipe.spec.scales["small"], arms=(arm,), seeds=(0,))
    spec = replace(
        recipe.spec, scales={"small": small}, report="toy_plugin.recipes:report_of_names"
    )
    changed = replace(recipe, spec=spec)
    with pytest.raises(RunError, match="'over-clients' is trained over clients"):
        reproduce(registry, changed, "small", tmp_path, progress=False)
    folder = tmp_path / "over-clients" / "seed-0"
    for lost in ("nothing", "nothing", "federation_state.safetensors"):
        reproduce(registry, changed, "small", tmp_path, progress=False, over_clients=train_arm)
        (folder / lost).unlink(missing_ok=True)
    reproduce(registry, changed, "small", tmp_path, progress=False, over_clients=train_arm)
    config = RunFolder(folder).read_config()
    assert (config["aggregator_id"], config["federation"]["clients"]) == ("toy/mean", 2)
