"""What this plugin brings; the records themselves stand in `declarations`. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

from intertwiner import hookimpl
from intertwiner.specs import AggregatorSpec, DatasetSpec, ModelSpec, RecipeSpec
from intertwiner_fedchem.declarations.aggregators import AGGREGATORS
from intertwiner_fedchem.declarations.datasets import DATASETS
from intertwiner_fedchem.declarations.models import MODELS
from intertwiner_fedchem.declarations.recipes import RECIPES


@hookimpl
def intertwiner_models() -> Iterable[ModelSpec]:
    yield from MODELS


@hookimpl
def intertwiner_datasets() -> Iterable[DatasetSpec]:
    yield from DATASETS


@hookimpl
def intertwiner_aggregators() -> Iterable[AggregatorSpec]:
    yield from AGGREGATORS


@hookimpl
def intertwiner_recipes() -> Iterable[RecipeSpec]:
    yield from RECIPES
