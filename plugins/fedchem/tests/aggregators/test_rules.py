"""Every rule against a few lines of its own mathematics, and against what it promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from intertwiner.config import build
from intertwiner.conformance.checks.aggregators import aggregator
from intertwiner.federated import RoundContext, Update
from intertwiner.specs import load_target
from intertwiner_fedchem.declarations.aggregators import AGGREGATORS

BY_NAME = {spec.name: spec for spec in AGGREGATORS}
RULES = [pytest.param(spec, id=spec.name) for spec in AGGREGATORS if spec.client_objective is None]


def numbers(seed: int, count: int = 9) -> np.ndarray:
    """[clients, 6]: updates near one another."""
    return np.random.default_rng(seed).normal(size=(count, 6))


def arrays(row: np.ndarray) -> dict[str, torch.Tensor]:
    """A row as two arrays; names against the order of the numbers."""
    values = torch.from_numpy(row.copy())
    return {"b": values[:2], "a": values[2:].reshape(2, 2)}


def row(found) -> np.ndarray:
    return np.concatenate([found["b"].numpy(), found["a"].numpy().ravel()])


EXAMPLES = [10, 20, 30, 40, 50, 60, 70, 80, 90]
LOSSES = [1.0 + number / 7 for number in range(9)]


def updates(points: np.ndarray, steps=None) -> list[Update]:
    return [
        Update(
            client=f"client-{number}",
            arrays=arrays(point),
            num_examples=EXAMPLES[number],
            metrics={"loss": LOSSES[number], "steps": (steps or [5.0] * 9)[number]},
        )
        for number, point in enumerate(points)
    ]


def rounds(name: str, settings=(), steps=None, count: int = 9) -> list[np.ndarray]:
    """The global numbers after each of three rounds from zero."""
    spec = BY_NAME[name]
    rule = load_target(spec.target)(build(load_target(spec.config), dict(settings)))
    present = arrays(np.zeros(6))
    state, found = rule.init(present), []
    for number in range(3):
        context = RoundContext(
            round=number, expected=(), clients=count, generator=torch.Generator()
        )
        joined = rule.aggregate(updates(numbers(number, count), steps), present, state, context)
        present, state = joined.arrays, joined.state
        found.append(row(present))
    return found


def mean(points: np.ndarray) -> np.ndarray:
    return np.average(points, axis=0, weights=EXAMPLES[: len(points)])


def check(name: str, step, settings=(), count: int = 9) -> None:
    """`step(theta, points, round)` gives the next global numbers."""
    theta = np.zeros(6)
    for number, found in enumerate(rounds(name, settings, count=count)):
        theta = step(theta, numbers(number, count), number)
        np.testing.assert_allclose(found, theta, rtol=1e-10, atol=1e-12)


def test_the_mean_is_weighted_by_examples():
    check("fedavg", lambda theta, points, _: mean(points))


def test_momentum_of_the_server():
    speed = np.zeros(6)

    def step(theta, points, _):
        nonlocal speed
        speed = 0.9 * speed - (mean(points) - theta)
        return theta - 1.0 * speed

    check("fedavgm", step)


@pytest.mark.parametrize("name", ["fedadagrad", "fedadam", "fedyogi"])
def test_adaptive_servers(name):
    first, second = np.zeros(6), np.zeros(6)
    beta_1, beta_2 = (0.0, 0.0) if name == "fedadagrad" else (0.9, 0.99)
    size = 0.01 if name == "fedyogi" else 0.1

    def step(theta, points, number):
        nonlocal first, second
        change = mean(points) - theta
        first = beta_1 * first + (1 - beta_1) * change
        square = change**2
        second = {
            "fedadagrad": second + square,
            "fedadam": beta_2 * second + (1 - beta_2) * square,
            "fedyogi": second - (1 - beta_2) * square * np.sign(second - square),
        }[name]
        power = number + 2.0
        bias = np.sqrt(1 - beta_2**power) / (1 - beta_1**power) if name == "fedadam" else 1.0
        return theta + size * bias * first / (np.sqrt(second) + 1e-3)

    check(name, step)


def test_median_and_trimmed_mean_forget_the_weights():
    check("fedmedian", lambda theta, points, _: np.median(points, axis=0))
    check("fedtrimmedavg", lambda theta, points, _: np.sort(points, axis=0)[1:-1].mean(0))


def ranked(points: np.ndarray, malicious: int) -> np.ndarray:
    """Clients by the sum of their squared distances to the n - f - 2 nearest."""
    distances = ((points[:, None] - points[None]) ** 2).sum(-1)
    nearest = np.sort(distances, axis=1)[:, 1 : len(points) - malicious - 1]
    return np.argsort(nearest.sum(1))


def test_krum_takes_the_most_central_update_and_multikrum_the_mean_of_some():
    check("krum", lambda theta, points, _: points[ranked(points, 1)[0]])

    def several(theta, points, _):
        best = ranked(points, 2)[:3]
        return np.average(points[best], axis=0, weights=np.array(EXAMPLES)[best])

    check("multikrum", several, {"malicious": 2, "selected": 3})


def test_bulyan_is_the_mean_of_what_lies_nearest_to_the_median():
    def step(theta, points, _):
        chosen = points[ranked(points, 1)[:7]]
        order = np.argsort(np.abs(chosen - np.median(chosen, axis=0)), axis=0)[:5]
        return np.take_along_axis(chosen, order, axis=0).mean(0)

    check("bulyan", step)


def test_clients_of_larger_loss_weigh_more_in_qfedavg():
    def step(theta, points, _):
        lipschitz, losses = 10.0, np.array(LOSSES) + 1e-10
        gradients = lipschitz * (theta - points)
        squares = (gradients**2).sum(1)
        steps = losses**0.1 @ gradients
        return theta - steps / (0.1 * losses**-0.9 * squares + lipschitz * losses**0.1).sum()

    check("qfedavg", step)


def test_the_geometric_median_has_no_direction_in_which_distances_fall():
    for number, found in enumerate(rounds("geometric-median", {"iterations": 500})):
        points = numbers(number)
        away = (found - points) / np.linalg.norm(found - points, axis=1, keepdims=True)
        assert np.linalg.norm(np.array(EXAMPLES) @ away) < 1e-2


def test_fednova_is_fedavg_where_steps_are_equal_and_divides_by_them_where_not():
    for one, other in zip(rounds("fednova"), rounds("fedavg"), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    steps = [float(1 + number) for number in range(9)]
    theta, shares = np.zeros(6), np.array(EXAMPLES) / sum(EXAMPLES)
    for number, found in enumerate(rounds("fednova", steps=steps)):
        drift = ((theta - numbers(number)) * (shares / steps)[:, None]).sum(0)
        theta = theta - shares @ np.array(steps) * drift
        np.testing.assert_allclose(found, theta, atol=1e-12)


@pytest.mark.parametrize("spec", RULES)
def test_a_rule_keeps_every_promise_of_the_conformance_kit(spec):
    assert aggregator(spec) == []


@pytest.mark.fault("F63")
@pytest.mark.parametrize(
    "name", ["fedmedian", "fedtrimmedavg", "krum", "multikrum", "bulyan", "geometric-median"]
)
@pytest.mark.parametrize("lie", [1e30, -1e6])
def test_one_liar_cannot_move_a_robust_rule_far(name, lie):
    spec = BY_NAME[name]
    rule = load_target(spec.target)(build(load_target(spec.config), {}))
    points = numbers(0)
    points[4] *= lie
    present = arrays(np.zeros(6))
    context = RoundContext(round=0, expected=(), clients=9, generator=torch.Generator())
    joined = rule.aggregate(updates(points), present, rule.init(present), context)
    assert np.abs(row(joined.arrays)).max() < 3 * np.abs(numbers(0)).max()


def test_the_mean_reports_what_clients_measured_but_not_what_the_report_lists_already():
    rule = load_target(BY_NAME["fedavg"].target)(None)
    given = updates(numbers(0, 2))
    given = [
        Update(
            client=u.client,
            arrays=u.arrays,
            num_examples=u.num_examples,
            metrics={**u.metrics, "factor": float(n), f"own-{n}": 1.0},
        )
        for n, u in enumerate(given)
    ]
    context = RoundContext(round=0, expected=(), clients=2, generator=torch.Generator())
    assert rule.aggregate(given, given[0].arrays, {}, context).metrics == {"factor": 20 / 30}
