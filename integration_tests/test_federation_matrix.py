"""Every installed model is federated, and every installed aggregator joins updates of each.

Derived from what is installed; nothing here names a model or an aggregator but the mean.
"""

from __future__ import annotations

import importlib.util

import pytest
import torch

from intertwiner.config import build
from intertwiner.federated import RoundContext, Update, federate
from intertwiner.federated.arrays import Kind, kinds_of
from intertwiner.federated.settings import FederationConfig
from intertwiner.matching import match
from intertwiner.registry import Entry, load_registry
from intertwiner.specs import AggregatorSpec, ModelSpec, load_target
from intertwiner.training.folder import RunFolder
from intertwiner.training.run import load_run
from intertwiner.training.task import Task, build_config, build_model, build_task

REGISTRY = load_registry()
CLIENTS = tuple(f"client-{number}" for number in range(9))
RECORDS = 24
"""Enough for every part of a stand-in and two clients with two batches each."""

every_model = pytest.mark.parametrize("model", REGISTRY.models, ids=lambda entry: entry.id)


def stand_in_task(model: Entry[ModelSpec]) -> Task:
    """The model's small instance on the stand-in of the first dataset it runs on."""
    dataset = next(d for d in REGISTRY.datasets if match(model, d, REGISTRY.adapters).runs)
    training = {"batch_size": 6, "seed": 0, "accelerator": "cpu", "threads": 1}
    layers = {"model": dict(model.spec.tiny), "training": training}
    config = build_config(REGISTRY, model.id, dataset.id, layers)
    return build_task(REGISTRY, config, synthetic=RECORDS)


@every_model
def test_a_model_is_federated_over_two_clients(model, tmp_path):
    task = stand_in_task(model)
    outcome = federate(
        task,
        REGISTRY.aggregator("fedchem/fedavg"),
        RunFolder(tmp_path / "run"),
        federation=FederationConfig(clients=2, rounds=1, local_steps=1),
        progress=False,
    )
    assert outcome.finished
    assert outcome.rounds == 1
    assert len(outcome.clients) == 2
    assert min(outcome.clients.values()) > 0
    loaded = load_run(tmp_path / "run", REGISTRY).model.state_dict()
    assert all(bool(v.isfinite().all()) for v in loaded.values() if v.is_floating_point())


def updates_of(arrays: dict[str, torch.Tensor], needs: tuple[str, ...]) -> list[Update]:
    """Nine clients, each a little off the global weights."""
    found = []
    for number, client in enumerate(CLIENTS):
        generator = torch.Generator().manual_seed(number)
        noise = {n: 0.1 * torch.randn(v.shape, generator=generator) for n, v in arrays.items()}
        moved = {name: value + noise[name].to(value.dtype) for name, value in arrays.items()}
        metrics = {"loss": 1.0, "steps": 5.0} | dict.fromkeys(needs, 1.0)
        update = Update(
            client=client,
            arrays=moved,
            num_examples=10,
            metrics=metrics,
            aux=dict.fromkeys(needs, noise),
        )
        found.append(update)
    return found


def missing(spec: AggregatorSpec) -> list[str]:
    return [name for name in spec.requires if importlib.util.find_spec(name) is None]


@every_model
def test_every_aggregator_joins_updates_of_a_model(model):
    task = stand_in_task(model)
    module = build_model(task.found.model, task.config.model_settings, task.schema)
    kinds = kinds_of(module)
    state = module.state_dict()
    arrays = {name: state[name].clone() for name, kind in kinds.items() if kind is Kind.AVERAGED}
    joined_by = 0
    for entry in REGISTRY.aggregators:
        if missing(entry.spec):
            continue
        settings = build(load_target(entry.spec.config), {})
        rule = load_target(entry.spec.target)(settings)
        generator = torch.Generator().manual_seed(0)
        context = RoundContext(round=0, expected=CLIENTS, clients=len(CLIENTS), generator=generator)
        updates = updates_of(arrays, entry.spec.needs)
        joined = rule.aggregate(updates, arrays, rule.init(arrays), context).arrays
        assert set(joined) == set(arrays), entry.id
        for name, value in joined.items():
            assert value.shape == arrays[name].shape, (entry.id, name)
            assert value.dtype == arrays[name].dtype, (entry.id, name)
            assert bool(value.isfinite().all()), (entry.id, name)
        module.load_state_dict({**state, **joined})
        joined_by += 1
    assert joined_by > 0
