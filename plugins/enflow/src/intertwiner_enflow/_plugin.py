"""What this plugin brings: equivariant flows, their targets and experiments. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

from intertwiner import hookimpl
from intertwiner.specs import DatasetSpec, KernelSpec, ModelSpec, RecipeSpec
from intertwiner_enflow.datasets.specs import dataset_specs
from intertwiner_enflow.declarations import kernel_specs, model_specs
from intertwiner_enflow.recipes.specs import recipe_specs


@hookimpl
def intertwiner_models() -> Iterable[ModelSpec]:
    yield from model_specs()


@hookimpl
def intertwiner_datasets() -> Iterable[DatasetSpec]:
    yield from dataset_specs()


@hookimpl
def intertwiner_kernels() -> Iterable[KernelSpec]:
    yield from kernel_specs()


@hookimpl
def intertwiner_recipes() -> Iterable[RecipeSpec]:
    yield from recipe_specs()
