"""FLIT's factor: the released code's numbers, limits, gradients and missing labels."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from intertwiner_fedchem.objectives.records import weighted_mean
from intertwiner_fedchem.objectives.reweighting import RunningMean, excess, factor

PARITY = Path(
    os.environ.get(
        "INTERTWINER_PARITY_DIR",
        Path(__file__).parents[4] / "../shared/data/parity",
    )
)
FIXTURE = PARITY / "fedchem" / "flit_losses.npz"
DOUBLE = {"dtype": torch.float64}


def loss_of(local, reference, gamma, mean, rough=None, smoothness=0.0, adversarial=0.0):
    """The loss of one batch without missing labels."""
    counts = torch.ones_like(local)
    w = excess(local, reference)
    if rough is not None:
        w = w + smoothness * excess(*rough)
        local = local + adversarial * rough[0]
    return weighted_mean(factor(w, mean.update(w, counts), gamma) * local, counts).mean()


def binary(predicted: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """The released code's loss of Tox21, sigmoid of labels included."""
    share, wanted = predicted.sigmoid(), label.sigmoid()
    logs = (share + 1e-7).log(), (1 - share + 1e-7).log()
    return -(wanted * logs[0] + (1 - wanted) * logs[1])


@pytest.mark.skipif(not FIXTURE.exists(), reason=f"no {FIXTURE}")
@pytest.mark.parametrize("case", [f"f{number}" for number in range(9)])
def test_losses_and_gradients_equal_those_of_the_released_code(case):
    about = json.loads(FIXTURE.with_suffix(".json").read_text())["cases"][case]
    with np.load(FIXTURE, allow_pickle=False) as stored:
        given = {
            name.partition(".")[2]: torch.from_numpy(stored[name])
            for name in stored.files
            if name.startswith(f"{case}.")
        }
    plain = about["method"] == "avg" or about.get("round_") == 0
    loss = binary if about["dataset"] == "Tox21" else lambda p, y: (p - y).square()
    mean = RunningMean()
    for step in range(about["steps"]):
        predicted = given["pred"][step].clone().requires_grad_()
        reference = loss(given["pred_global"][step], given["label"][step])
        local = loss(predicted, given["label"][step])
        rough, options = None, {}
        if "vat_local" in given:
            rough = [
                given[f"vat_{who}"][step].clone().requires_grad_() for who in ("local", "global")
            ]
            options = {"rough": rough, "smoothness": about["lam"], "adversarial": about["reg"]}
        found = (
            local.mean() if plain else loss_of(local, reference, about["gamma"], mean, **options)
        )
        found.backward()
        torch.testing.assert_close(found, given["loss"][step], rtol=1e-12, atol=1e-14)
        torch.testing.assert_close(predicted.grad, given["grad_pred"][step], rtol=1e-10, atol=1e-14)
        if rough is not None:
            expected = given["grad_vat_local"][step]
            torch.testing.assert_close(rough[0].grad, expected, rtol=1e-10, atol=1e-14)


GOLDEN = [
    (0.5, 2.0530988, (0.338653, 0.5500733), 1.6452564),
    (1.0, 1.763052, (0.2079498, 0.586887), 1.150957),
    (2.0, 1.3897639, (0.0675321, 0.628478), 0.607746),
]


@pytest.mark.parametrize(("gamma", "expected", "gradient", "later"), GOLDEN)
def test_two_records_by_hand(gamma, expected, gradient, later):
    local = torch.tensor([[1.0], [4.0]], **DOUBLE).requires_grad_()
    reference = torch.tensor([[2.0], [1.0]], **DOUBLE)
    found = loss_of(local, reference, gamma, RunningMean())
    found.backward()
    assert found.item() == pytest.approx(expected, rel=1e-6)
    assert local.grad.flatten().tolist() == pytest.approx(gradient, rel=1e-5)
    before = RunningMean()
    before.value = torch.tensor([10.0], **DOUBLE)
    assert loss_of(local, reference, gamma, before).item() == pytest.approx(later, rel=1e-6)
    assert float(before.value) == pytest.approx(8.8)


def test_without_a_comparison_it_is_flit_against_an_infinitely_bad_global_model():
    local = torch.tensor([[1.0], [4.0]], **DOUBLE)
    focal = loss_of(local, None, 0.5, RunningMean())
    assert float(focal) == pytest.approx(2.0738217, rel=1e-6)
    assert torch.equal(focal, loss_of(local, local + torch.inf, 0.5, RunningMean()))


def test_gradients_flow_through_the_factor_and_are_right():
    generator = torch.Generator().manual_seed(0)
    local = torch.rand(6, 2, generator=generator, **DOUBLE).requires_grad_()
    reference = torch.rand(6, 2, generator=generator, **DOUBLE)
    fixed = torch.tensor([0.5, 0.7], **DOUBLE)

    def loss(values):
        return factor(excess(values, reference), fixed, 0.5) * values

    assert torch.autograd.gradcheck(loss, (local,))
    found = torch.autograd.grad(loss(local).sum(), local)[0]
    w = excess(local, reference).detach()
    assert not torch.allclose(found, factor(w, fixed, 0.5))


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_a_loss_of_zero_has_a_finite_gradient(gamma):
    local = torch.zeros(3, 1).requires_grad_()
    loss_of(local, torch.zeros(3, 1), gamma, RunningMean()).backward()
    assert local.grad.isfinite().all()


def test_missing_labels_have_no_influence_and_a_target_without_any_keeps_its_mean():
    generator = torch.Generator().manual_seed(1)
    counts = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    results = []
    for _ in range(2):
        values = torch.rand(3, 2, generator=generator)
        values[:2, 0] = torch.tensor([0.3, 0.9])
        mean = RunningMean()
        first = mean.update(values, torch.ones_like(counts))[1].clone()
        mean.value[0] = 1.0
        mean.update(values, counts)
        assert mean.value[1] == first
        phi = factor(values, mean.value.index_fill(0, torch.tensor([1]), 1.0), 1.0)
        results.append(weighted_mean(phi * values, counts))
    assert torch.equal(*results)
    assert results[0][1] == 0


def test_a_mean_that_has_seen_no_label_yet_starts_with_the_first():
    mean, values = RunningMean(), torch.tensor([[2.0, 4.0]])
    assert mean.update(values, torch.tensor([[1.0, 0.0]])).tolist() == [2.0, 1.0]
    assert mean.update(values, torch.ones(1, 2)).tolist() == [2.0, 4.0]
