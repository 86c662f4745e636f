"""Fits of training labels: missing ones left out, none at all refused."""

from __future__ import annotations

import pytest
import torch

from intertwiner_equivariant_conv.calibration import Labels
from intertwiner_equivariant_conv.errors import InvalidInput

pytestmark = pytest.mark.usefixtures("double_default")
NAN = float("nan")


def make_labels(values: torch.Tensor, composition: torch.Tensor) -> Labels:
    return Labels("energy", values, composition, torch.ones(len(values)))


def test_composition_fit_finds_the_elements_and_leaves_the_rest() -> None:
    composition = torch.randint(1, 9, (200, 3)).double()
    noise = 0.1 * torch.randn(200, 1)
    coefficients = torch.tensor([-13.0, -1000.0, -2000.0])
    fit = make_labels((composition @ coefficients)[:, None] + noise, composition).fit_composition(
        "sum"
    )
    torch.testing.assert_close(fit.coefficients, coefficients, rtol=0, atol=0.05)
    assert fit.spread == pytest.approx(0.1, rel=0.2)
    assert fit.atom_spread < fit.spread


def test_rows_without_a_label_do_not_count() -> None:
    composition = torch.eye(2).repeat(3, 1)
    values = torch.tensor([[1.0], [2.0], [NAN], [2.0], [1.0], [NAN]])
    fit = make_labels(values, composition).fit_elements()
    assert fit.coefficients.tolist() == pytest.approx([1.0, 2.0])


def test_no_label_at_all_is_refused_by_name() -> None:
    labels = make_labels(torch.full((3, 1), NAN), torch.eye(3))
    with pytest.raises(InvalidInput, match="target 'energy': none of 3 training rows has one"):
        labels.fit_composition("sum")


def test_elements_that_never_occur_get_nothing() -> None:
    composition = torch.tensor([[1.0, 0.0], [2.0, 0.0]])
    fit = make_labels(torch.tensor([[3.0], [6.0]]), composition).fit_composition("sum")
    assert fit.coefficients.tolist() == pytest.approx([3.0, 0.0])
    assert fit.spread == 1.0
