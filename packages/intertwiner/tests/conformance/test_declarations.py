"""What a plugin says about itself is tested before anything is computed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from conformance_toys import config
from conformance_toys.honest import (
    intertwiner_adapters,
    intertwiner_models,
    intertwiner_recipes,
)

from intertwiner.conformance.checks import declarations
from intertwiner.fields import Structure
from intertwiner.specs import Arm
from intertwiner.training.settings import TrainingConfig

(MODEL,) = intertwiner_models()
(READER,) = intertwiner_adapters()
(RECIPE,) = intertwiner_recipes()


def kinds(model: str, dataset: str) -> dict[str, Any]:
    """As if the dataset's plugin were not installed; one other model with other settings."""
    other = config.ForgetfulConfig if model == "other" else config.DistanceNetConfig
    return {"model": other, "training": TrainingConfig}


def test_a_declaration_without_torch_passes():
    modules = ("conformance_toys.honest", "conformance_toys.config")
    assert declarations.free_of_torch(modules) == []


def test_a_declaration_that_imports_torch_is_named(tmp_path, monkeypatch):
    # an empty module of that name keeps the new interpreter quick
    (tmp_path / "torch.py").write_text("def finfo(): return finfo\nfinfo.eps = 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    (finding,) = declarations.free_of_torch(("conformance_toys.config", "conformance_toys.heavy"))
    assert finding.field == "conformance_toys.heavy"
    assert "imports torch" in finding.what


def test_a_declaration_that_cannot_be_imported_gives_the_reason():
    (finding,) = declarations.free_of_torch(("conformance_toys.absent",))
    assert "No module named 'conformance_toys.absent'" in finding.what


@pytest.mark.parametrize(
    "target", ["conformance_toys.model:Absent", "conformance_toys.absent:Model"]
)
def test_an_import_string_that_leads_nowhere_is_named(target):
    (finding,) = declarations.imports_resolve(replace(MODEL, target=target))
    assert finding.field == "target"
    assert target in finding.what


def test_a_migration_that_leads_nowhere_is_named():
    spec = replace(MODEL, migrations={1: "conformance_toys.model:absent"}, checkpoint_version=2)
    (finding,) = declarations.imports_resolve(spec)
    assert finding.field == "migrations[1]"


def test_a_checkpoint_version_without_its_migration_is_found():
    (finding,) = declarations.model_declaration(replace(MODEL, checkpoint_version=2))
    assert "version 1 to 2" in finding.what


def test_a_field_named_twice_is_found():
    spec = replace(MODEL, inputs=(*MODEL.inputs, MODEL.inputs[0]))
    (finding,) = declarations.model_declaration(spec)
    assert finding.field == "pos"


def test_sound_settings_pass():
    assert declarations.settings(config.DistanceNetConfig, {"channels": 4}) == []


SETTINGS = [
    (config.ThawedConfig, {}, "not frozen"),
    (config.NoDefaultConfig, {}, "has no default"),
    (config.ForgetfulConfig, {}, "comes back from YAML with another value"),
    (config.DistanceNetConfig, {"chanels": 4}, "did you mean 'channels'"),
    (config.DistanceNetConfig, {"channels": 0}, "greater than or equal to 1"),
    (dict, {}, "must be a frozen dataclass"),
]


@pytest.mark.parametrize(("kind", "tiny", "said"), SETTINGS)
def test_unsound_settings_are_named(kind, tiny, said):
    findings = declarations.settings(kind, tiny)
    assert said in findings[0].what


def test_a_sound_recipe_passes():
    assert declarations.recipe(RECIPE, kinds) == []


def test_an_arm_with_an_unknown_setting_is_named():
    spec = replace(RECIPE, arms=(Arm(name="wide", overrides={"model.chanels": 9}),))
    (finding,) = declarations.recipe(spec, kinds)
    assert "arm 'wide' at scale 'small'" in finding.what
    assert "model.chanels" in finding.what


def test_an_arm_is_checked_against_its_own_model():
    spec = replace(RECIPE, arms=(Arm(name="wide", overrides={"model.channels": 9}, model="other"),))
    (finding,) = declarations.recipe(spec, kinds)
    assert "model.channels: no such setting" in finding.what


def test_the_arms_of_a_scale_are_checked_in_place_of_the_recipes():
    wrong = replace(RECIPE, arms=(Arm(name="wide", overrides={"model.chanels": 9}),))
    small = replace(RECIPE.scales["small"], arms=RECIPE.arms)
    assert declarations.recipe(replace(wrong, scales={"small": small}), kinds) == []
    (finding,) = declarations.recipe(
        replace(RECIPE, scales={"small": replace(small, arms=wrong.arms)}), kinds
    )
    assert "arm 'wide' at scale 'small'" in finding.what


def test_a_recipe_needs_the_small_scale():
    (finding,) = declarations.recipe(replace(RECIPE, scales={}), kinds)
    assert "no scale 'small'" in finding.what


ADAPTERS = [
    ({"gives": Structure.FILE}, "no adapter gives files"),
    ({"takes": Structure.ATOMS}, "it would never be used"),
    ({"suffixes": ()}, "readers have suffixes"),
    ({"suffixes": ("toy",)}, "must begin with a dot"),
    ({"takes": Structure.BONDS}, "readers have suffixes, no others"),
]


@pytest.mark.parametrize(("changes", "said"), ADAPTERS)
def test_an_adapter_that_contradicts_itself_is_named(changes, said):
    findings = declarations.adapter_declaration(replace(READER, **changes))
    assert said in findings[0].what
    assert declarations.adapter_declaration(READER) == []
