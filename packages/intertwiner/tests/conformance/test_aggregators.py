"""The kit passes sound rules for joining clients, and names what is wrong with each other one."""

from __future__ import annotations

import pytest
import torch

import intertwiner.conformance.checks.aggregators as module
from intertwiner.conformance.checks.aggregators import aggregator
from intertwiner.federated import Aggregated, weighted_mean
from intertwiner.specs import AggregatorSpec


def spec(name: str, **declared) -> AggregatorSpec:
    return AggregatorSpec(
        name="rule",
        summary="",
        target=f"conformance_toys.aggregators:{name}",
        config="conformance_toys.config:GaussianConfig",
        **declared,
    )


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("Mean", {"convex": True}),
        ("Median", {"convex": True}),
        ("Momentum", {}),
        ("Scaled", {"needs": ("drift",)}),
    ],
)
def test_a_sound_rule_passes_everything(name, declared):
    assert aggregator(spec(name, **declared)) == []


@pytest.mark.fault("F44")
@pytest.mark.parametrize(
    ("name", "declared", "said"),
    [
        ("FirstCounts", {}, "another order of the same updates"),
        ("Momentum", {"convex": True}, "outside what any client sent"),
        ("InPlace", {}, "changed in place"),
        ("Sum", {}, "three times the examples"),
        ("Still", {}, "does not answer to the updates"),
        ("Hidden", {}, "after storing and loading the state"),
        ("Wide", {}, "float64"),
        ("Empty", {}, "gave []"),
        ("Drifting", {}, "though every client sent back what it was given"),
    ],
)
def test_a_rule_that_lies_is_told_what_is_wrong(name, declared, said):
    findings = aggregator(spec(name, **declared))
    assert any(said in str(finding) for finding in findings), findings


def test_a_check_that_its_broken_twin_passes_is_itself_a_failure(monkeypatch):
    vacuous = (lambda spec, rule: [], module._beyond)
    vacuous[0].__name__ = "vacuous"
    monkeypatch.setattr(module, "AGGREGATOR_CHECKS", (vacuous,))
    (finding,) = aggregator(spec("Mean"))
    assert "also passes a copy with a fault put in" in finding.what


def test_the_weighted_mean_is_that_of_double_precision_in_any_order():
    updates = module._updates(spec("Mean"))
    total = sum(update.num_examples for update in updates)
    exact = sum(u.arrays["weight"].double() * u.num_examples for u in updates) / total
    found = weighted_mean(updates)["weight"]
    torch.testing.assert_close(found, exact.float(), rtol=1e-6, atol=1e-7)
    assert torch.equal(found, weighted_mean(updates[::-1])["weight"])
    assert Aggregated({}).state == {}
