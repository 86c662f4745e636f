"""Whole federations: what methods share with FedAvg to the bit, and what they change."""

from __future__ import annotations

import json
from functools import cache

import pytest
import torch
from torch import nn

from intertwiner.errors import ConfigError
from intertwiner.federated.client import ClientContext, Payload
from intertwiner.federated.engines import Job
from intertwiner.federated.state import STATE
from intertwiner.federated.updates import Arrays
from intertwiner.registry import Registry, load_registry
from intertwiner.training.tensors import load_tensors
from intertwiner_fedchem.objectives.config import FLITConfig, MoonConfig
from intertwiner_fedchem.objectives.contrastive import Moon, contrast
from intertwiner_fedchem.objectives.methods import flit


@cache
def registry() -> Registry:
    return load_registry()


def job(out, aggregator: str, **settings) -> Job:
    return Job(
        model="fedchem/mpnn",
        dataset="fedchem/gfn2-bonds",
        aggregator=f"fedchem/{aggregator}",
        out=str(out),
        settings={
            "model": {"width": 6, "edge_hidden": 3},
            "data": {"limit": 60},
            "training": {"batch_size": 8, "learning_rate": 0.01, "threads": 1},
        },
        federation={"clients": 2, "rounds": 2, "local_steps": 3},
        aggregator_settings=settings,
        progress=False,
    )


@pytest.fixture
def federate(tmp_path):
    """The global arrays after two rounds, and what the rounds report."""

    def run(aggregator: str, **settings) -> tuple[Arrays, list[dict]]:
        out = tmp_path / f"{aggregator}{settings}"
        job(out, aggregator, **settings).run(registry())
        tensors, _ = load_tensors(out / STATE)
        arrays = {n: v for n, v in tensors.items() if n.startswith("arrays/")}
        return arrays, json.loads((out / "rounds.json").read_text())

    return run


def same(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)


def test_switched_off_every_method_is_fedavg_to_the_bit(federate):
    plain, _ = federate("fedavg")
    for name, settings in (
        ("flit", {"gamma": 0.0, "warm_up": 0}),
        ("fedfocal", {"gamma": 0.0, "warm_up": 0}),
        ("flit-plus", {"gamma": 0.0, "adversarial": 0.0, "warm_up": 0}),
        ("flit-plus", {"warm_up": 2}),
        ("fedprox", {"mu": 0.0}),
        ("moon", {"mu": 0.0}),
    ):
        assert same(plain, federate(name, **settings)[0]), name


def test_flit_plus_without_its_adversary_is_flit(federate):
    one, _ = federate("flit", gamma=0.5)
    other, _ = federate("flit-plus", gamma=0.5, adversarial=0.0, smoothness=0.0)
    assert same(one, other)


def test_switched_on_every_method_is_something_else(federate):
    plain, _ = federate("fedavg")
    found = {
        name: federate(name, **settings)[0]
        for name, settings in (
            ("flit", {}),
            ("fedfocal", {}),
            ("flit-plus", {}),
            ("fedvat", {}),
            ("fedprox", {"mu": 1.0}),
            ("moon", {}),
        )
    }
    for name, arrays in found.items():
        assert not same(plain, arrays), name
        assert all(value.isfinite().all() for value in arrays.values()), name
    assert not same(found["flit"], found["fedfocal"])
    assert not same(found["flit"], found["flit-plus"])


def test_the_report_says_what_the_factor_was_and_how_often_the_global_model_was_better(federate):
    first, second = federate("flit", gamma=1.0)[1]
    assert "factor_mean" not in first["metrics"]
    metrics = second["metrics"]
    assert 0 < metrics["factor_min"] < metrics["factor_mean"] < metrics["factor_max"] <= 1.001
    assert 0 < metrics["behind_global"] < 1


def test_a_strong_pull_keeps_clients_near_the_global_weights(federate):
    free = federate("fedprox", mu=0.0)[1][0]["norms"]
    near = federate("fedprox", mu=1000.0)[1][0]["norms"]
    assert all(near[name] < 0.95 * free[name] for name in free)


def test_gradients_of_the_proximal_term_are_those_of_autograd():
    (client, _) = job("", "fedprox", mu=0.3).clients(registry())
    start = {name: value.clone() for name, value in client.model.state_dict().items()}
    moved = {n: v + 0.01 if v.is_floating_point() else v for n, v in start.items()}
    context = context_of(client, start)
    loss_of = client.make_objective(context)
    client.model.load_state_dict(moved)
    batch = next(client._batches(0, 1))
    loss_of(batch).backward()
    loss_of.after_backward()
    found = {n: p.grad.clone() for n, p in client.model.named_parameters()}
    client.model.zero_grad()
    away = [(p - start[n]).square().sum() for n, p in client.model.named_parameters()]
    (client.objective(batch) + 0.15 * torch.stack(away).sum()).backward()
    for name, parameter in client.model.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad, rtol=1e-4, atol=1e-6)


def context_of(client, arrays: Arrays, **changes) -> ClientContext:
    values = {
        "client": client.name,
        "round": 1,
        "model": client.model,
        "objective": client.objective,
        "arrays": arrays,
        "records": client.records,
        "steps": 3,
        "remembered": {},
    }
    return ClientContext(**{**values, **changes})


def test_the_global_model_is_asked_about_every_record_once_and_in_order():
    (client, _) = job("", "flit").clients(registry())
    loss = flit(FLITConfig(), context_of(client, client.model.state_dict()))
    (known,) = loss.known
    assert len(known) == len(client.records)
    client.model.eval()
    (name,) = client.objective.spreads
    for batch in client._batches(0, 2):
        expected = (client.model(batch)[name] - batch[name]).square()
        found = known[batch.record_numbers][:, 0]
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_moon_compares_with_the_global_and_the_clients_own_last_embeddings():
    (client, _) = job("", "moon").clients(registry())
    arrays = {n: v.clone() for n, v in client.model.state_dict().items()}
    last = {n: v + 0.1 if v.is_floating_point() else v for n, v in arrays.items()}
    assert Moon(MoonConfig(), context_of(client, arrays)).frozen is None
    loss = Moon(MoonConfig(), context_of(client, arrays, remembered=last))
    assert all(torch.equal(v, arrays[n]) for n, v in client.model.state_dict().items())
    of_global, of_last = loss.frozen
    assert of_global.shape == of_last.shape
    assert not torch.allclose(of_global, of_last)
    batch = next(client._batches(0, 1))
    term = contrast(
        client.model.embedding(batch), *(t[batch.record_numbers] for t in loss.frozen), 0.5
    )
    torch.testing.assert_close(loss(batch), client.objective(batch) + term.mean())


def test_the_contrast_is_the_negative_log_of_a_softmax_over_cosines():
    z, near, far = (torch.randn(4, 5, generator=torch.Generator().manual_seed(n)) for n in range(3))
    cosines = torch.stack([torch.cosine_similarity(z, other) for other in (near, far)], 1) / 0.5
    torch.testing.assert_close(contrast(z, near, far, 0.5), -cosines.log_softmax(1)[:, 0])


def test_a_model_without_embeddings_is_refused():
    class Bare(nn.Module):
        pass

    (client, _) = job("", "moon").clients(registry())
    with pytest.raises(ConfigError, match=r"Bare declares no embedding.*use fedprox"):
        Moon(MoonConfig(), context_of(client, {}, model=Bare()))


def test_a_client_repeats_its_round_to_the_bit_whatever_happened_before():
    (client, _) = job("", "flit-plus").clients(registry())
    arrays = {n: v.clone() for n, v in client.model.state_dict().items()}
    payload = Payload(run="r", round=1, arrays=arrays)
    one = client.fit(payload).arrays
    client.fit(Payload(run="r", round=2, arrays=one))
    torch.rand(7)
    assert same(one, client.fit(payload).arrays)
