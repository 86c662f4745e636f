"""Recipes: equal budgets, every baseline in every table, and reports that tell what failed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from intertwiner.config import unflatten
from intertwiner.registry import Registry, load_registry
from intertwiner.specs import RecipeSpec, Scale
from intertwiner.training.recipes import Report, reproduce
from intertwiner.training.task import build_config, build_model, build_task
from intertwiner_gauge_mesh.recipes import recipes

RECIPES = {recipe.name: recipe for recipe in recipes()}


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def count(registry: Registry, recipe: RecipeSpec, number: int) -> int:
    arm = recipe.arms[number]
    settings = {k: v for k, v in arm.overrides.items() if k.startswith("model.")}
    targets = {k: v for k, v in recipe.scales["small"].overrides.items() if k == "data.targets"}
    layers = (unflatten(settings), unflatten(targets))
    config = build_config(registry, arm.model or recipe.model, recipe.dataset, *layers)
    task = build_task(registry, config, synthetic=8)
    model = build_model(task.found.model, config.model_settings, task.schema)
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("name", RECIPES)
def test_all_arms_have_nearly_equally_many_parameters(registry: Registry, name: str) -> None:
    recipe = RECIPES[name]
    sizes = [count(registry, recipe, number) for number in range(len(recipe.arms))]
    assert all(abs(size / sizes[0] - 1) <= 0.10 for size in sizes), sizes
    if name == "advection":
        assert max(sizes) <= 10_000


def tiny(recipe: RecipeSpec, **settings: Any) -> RecipeSpec:
    """Two steps a run on the smallest meshes, small networks."""
    scale = Scale(overrides=MappingProxyType(settings), seeds=(0, 1))
    arms = tuple(
        replace(
            arm,
            overrides={
                **{k: v for k, v in arm.overrides.items() if not k.startswith("model.")},
                **({"model.hidden": "3x0+3x1+2x2"} if "channels" not in str(arm.overrides) else {}),
            },
        )
        for arm in recipe.arms
    )
    return replace(recipe, scales={"tiny": scale}, arms=arms)


def run(registry: Registry, recipe: RecipeSpec, folder: Path, **settings: Any) -> Report:
    entry = registry.recipe(recipe.name)
    shared = {
        "data.vertices": 162,
        "data.training_shapes": 2,
        "data.other_shapes": 2,
        "training.epochs": 1,
        "training.batch_size": 2,
        "training.threads": 1,
    }
    changed = replace(entry, spec=tiny(recipe, **shared, **settings))
    return reproduce(registry, changed, "tiny", folder, progress=False)


@pytest.fixture(scope="module")
def without_pictures() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        for module in ("advection_report", "curvature_report"):
            patch.setattr(
                f"intertwiner_gauge_mesh.recipes.{module}.draw_both", lambda *given: ([], [])
            )
        yield


@pytest.mark.filterwarnings("ignore::intertwiner_gauge_mesh.errors.MeshWarning")
@pytest.mark.usefixtures("without_pictures")
@pytest.mark.parametrize(
    ("name", "formulas", "settings"),
    [
        (
            "advection",
            {"zero", "least-squares gradient", "face gradient"},
            {"data.targets": ("advection",), "data.fields": 1},
        ),
        (
            "curvature",
            {"zero", "quadric", "shrunk quadric"},
            {"data.targets": ("principal",), "data.copies": 1},
        ),
    ],
)
def test_every_table_has_all_arms_the_formulas_and_zero(
    registry: Registry, tmp_path: Path, name: str, formulas: set[str], settings: dict[str, Any]
) -> None:
    report = run(registry, RECIPES[name], tmp_path, **settings)
    arms = {arm.name for arm in RECIPES[name].arms}
    assert {row[0] for row in report.rows} == arms | formulas
    assert {"gcn", "zero", "moments-shuffled"} <= {row[0] for row in report.rows}
    assert all(len(row) == len(report.columns) for row in report.rows)
    figures = {figure.name: figure for figure in report.figures}
    assert figures["zero/relative error"].value == pytest.approx(1.0)
    assert figures["moments/relative error"].seeds == 2
    assert figures["moments/relative error"].required
    assert figures["moments-shuffled/relative error"].value > 0.5
    turned = {row[0]: row[report.columns.index("turned frames")] for row in report.rows}
    assert float(turned["moments"]) < 1e-4
    assert any("NOT LEARNED" in note for note in report.notes)
