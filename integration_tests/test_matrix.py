"""The matrix of all installed models and datasets, derived from what they declare.

Every pair that runs takes a training step on the dataset's stand-in; every other pair is refused
with its reason. Nothing here names a model or a dataset.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from intertwiner.data import Batches
from intertwiner.errors import ConfigError
from intertwiner.fields import GRAPH, Field, Irreps, Structure
from intertwiner.matching import compatible, match
from intertwiner.registry import Entry, Plugin, Registry, load_registry
from intertwiner.specs import DatasetSpec, ModelSpec
from intertwiner.training.objective import Objective, target_spreads
from intertwiner.training.task import Task, build_config, build_model, build_task

REGISTRY = load_registry()
MODELS = REGISTRY.models
PAIRS = [(model, dataset) for model in MODELS for dataset in REGISTRY.datasets]
RECORDS = 20
STEP = 1e-4
"""Learning rate of the one step: small, so that the gradient decides and not its steepness."""

every_pair = pytest.mark.parametrize(
    ("model", "dataset"), PAIRS, ids=[f"{model.id} on {data.id}" for model, data in PAIRS]
)


def first_of(model: Entry[ModelSpec]) -> Entry[DatasetSpec]:
    """The dataset on which a model is tried with every target by itself: the first it runs on."""
    runs = (data for data in REGISTRY.datasets if match(model, data, REGISTRY.adapters).runs)
    return next(runs)


def stand_in_task(model: Entry[ModelSpec], dataset: Entry[DatasetSpec], targets: list[str]) -> Task:
    layers = {"model": dict(model.spec.tiny), "data": {"targets": targets}}
    config = build_config(REGISTRY, model.id, dataset.id, layers)
    return build_task(REGISTRY, config, synthetic=RECORDS)


def loss_before_and_after_a_step(task: Task) -> tuple[float, float, list[torch.Tensor]]:
    """(loss, loss of the same batch after one step of AdamW, the gradients of that step)."""
    module = build_model(task.found.model, task.config.model_settings, task.schema)
    records = task.parts["train"]
    prepare = getattr(module, "prepare", None)
    if prepare is not None:
        prepare(Batches(records, RECORDS, shuffle=False).epoch())
    objective = Objective(module, task.schema, target_spreads(records, task.schema))
    optimizer = torch.optim.AdamW(objective.parameters(), lr=STEP)
    batch = next(Batches(records, RECORDS, shuffle=False).epoch())
    torch.manual_seed(0)
    before = objective(batch)
    before.backward()
    gradients = [p.grad.clone() for p in objective.parameters() if p.grad is not None]
    optimizer.step()
    torch.manual_seed(0)
    return before.item(), objective(batch).item(), gradients


@every_pair
def test_a_pair_that_runs_learns_its_targets_and_another_is_refused(model, dataset):
    found = match(model, dataset, REGISTRY.adapters)
    if not found.runs:
        with pytest.raises(ConfigError, match="does not run on") as refused:
            stand_in_task(model, dataset, [])
        assert all(reason in str(refused.value) for reason in found.reasons)
        return
    names = [field.name for field in found.targets]
    alone = [[name] for name in names] if dataset is first_of(model) else []
    tried = set()
    for targets in [[], *alone, names]:
        task = stand_in_task(model, dataset, targets)
        if task.schema.targets in tried:  # by default, or all of them, or one: the same step
            continue
        tried.add(task.schema.targets)
        before, after, gradients = loss_before_and_after_a_step(task)
        assert gradients, targets
        assert all(bool(gradient.isfinite().all()) for gradient in gradients), targets
        assert any(bool(gradient.any()) for gradient in gradients), targets
        assert after < before, targets


def test_something_is_installed_and_nothing_was_left_out():
    assert PAIRS
    assert not REGISTRY.failed
    assert any(match(*pair, REGISTRY.adapters).runs for pair in PAIRS)


def changed(dataset: Entry[DatasetSpec], **changes: Any) -> Registry:
    """Everything installed, and a plugin "odd" with an altered copy of a dataset."""
    spec = replace(dataset.spec, name="odd", **changes)
    odd = Entry("odd", "intertwiner-odd", "0", spec)
    plugin = Plugin("odd", "intertwiner-odd", "0", "odd", {"datasets": (odd,)})
    return Registry([*REGISTRY.plugins, plugin])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_a_structure_no_adapter_leads_from_is_refused_with_its_reason(model):
    dataset = next(data for data in REGISTRY.datasets if not compatible(model, data))
    taken = {adapter.spec.takes for adapter in REGISTRY.adapters} | {model.spec.reads}
    strange = next(structure for structure in Structure if structure not in taken)
    registry = changed(dataset, gives=strange)
    with pytest.raises(ConfigError) as refused:
        build_task(registry, build_config(registry, model.id, "odd/odd"))
    assert f"{model.id} does not run on odd/odd" in str(refused.value)
    assert f"odd/odd gives {strange}, and no adapter leads there" in str(refused.value)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_a_dataset_without_a_learnable_target_or_an_input_is_refused(model):
    dataset = next(data for data in REGISTRY.datasets if not compatible(model, data))
    octupole = Field("octupole", GRAPH, Irreps("1x7o"), "debye angstrom^6")
    registry = changed(dataset, targets=(octupole,), default_targets=("octupole",), provides=())
    reasons = "; ".join(compatible(model, registry.dataset("odd/odd"), registry.adapters))
    assert ("no target fits" in reasons) == bool(model.spec.outputs)
    for field in model.spec.inputs:
        assert f"input {field} is not provided" in reasons
