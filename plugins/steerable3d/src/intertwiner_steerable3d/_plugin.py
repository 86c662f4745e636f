"""What this plugin brings: networks on volumes, their data, one operation. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

from intertwiner import hookimpl
from intertwiner.specs import AdapterSpec, DatasetSpec, KernelSpec, ModelSpec, RecipeSpec
from intertwiner_steerable3d.data.declarations import datasets
from intertwiner_steerable3d.declarations import models
from intertwiner_steerable3d.kernels.declarations import expansion_kernels
from intertwiner_steerable3d.recipes import recipes
from intertwiner_steerable3d.voxels.declarations import adapters, kernels


@hookimpl
def intertwiner_models() -> Iterable[ModelSpec]:
    yield from models()


@hookimpl
def intertwiner_datasets() -> Iterable[DatasetSpec]:
    yield from datasets()


@hookimpl
def intertwiner_kernels() -> Iterable[KernelSpec]:
    yield from kernels()
    yield from expansion_kernels()


@hookimpl
def intertwiner_adapters() -> Iterable[AdapterSpec]:
    yield from adapters()


@hookimpl
def intertwiner_recipes() -> Iterable[RecipeSpec]:
    yield from recipes()
