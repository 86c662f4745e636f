"""Figures are what they say, per component and per length, with the spread of resampling."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from intertwiner.errors import DataError
from intertwiner.fields import GRAPH, NODE, Field, Irreps, Label, Scalar
from intertwiner.training.metrics import control, evaluate_target

ENERGY = Field("energy", GRAPH, Scalar(), "eV")
DIPOLE = Field("dipole", GRAPH, Irreps("1x1o"), "debye")


def named(metrics):
    return {metric.name: metric for metric in metrics}


def test_errors_of_a_vector_are_per_component_and_of_its_length():
    truth = [torch.tensor([[3.0, 4.0, 0.0]])]
    found = named(evaluate_target(DIPOLE, [torch.tensor([[0.0, 4.0, 3.0]])], truth))
    assert found["dipole/mae"].value == pytest.approx(2.0)
    assert found["dipole/rmse"].value == pytest.approx(math.sqrt(6))
    assert found["dipole/length_mae"].value == pytest.approx(0.0)
    assert found["dipole/mae"].unit == "debye"


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=20), st.floats(-5, 5))
def test_a_shift_of_all_predictions_is_the_error(values, shift):
    truth = [torch.tensor([value], dtype=torch.float64) for value in values]
    found = named(evaluate_target(ENERGY, [label + shift for label in truth], truth))
    assert found["energy/mae"].value == pytest.approx(abs(shift), abs=1e-9)
    assert found["energy/rmse"].value == pytest.approx(abs(shift), abs=1e-9)
    assert found["energy/mae"].error == pytest.approx(0, abs=1e-9)


def test_missing_labels_do_not_count():
    truth = [torch.tensor([1.0]), torch.tensor([math.nan])]
    found = named(evaluate_target(ENERGY, [torch.tensor([2.0]), torch.tensor([9.0])], truth))
    assert found["energy/mae"].value == pytest.approx(1.0)
    assert found["energy/mae"].records == 1


def test_the_bootstrap_error_is_that_of_a_mean():
    generator = torch.Generator().manual_seed(0)
    errors = torch.randn(400, generator=generator)
    truth = [torch.zeros(1)] * 400
    found = named(evaluate_target(ENERGY, list(errors.reshape(-1, 1)), truth))
    expected = float(errors.abs().std()) / math.sqrt(400)
    assert found["energy/mae"].error == pytest.approx(expected, rel=0.1)


def test_the_control_of_a_scalar_is_the_training_mean_and_of_a_vector_zero():
    training = [torch.tensor([1.0]), torch.tensor([3.0])]
    found = control(ENERGY, training, [torch.tensor([5.0])])
    assert found.value == pytest.approx(3.0)
    assert found.name == "energy/mae of the training mean"
    vectors = [torch.ones(1, 3)]
    assert control(DIPOLE, vectors, vectors).value == pytest.approx(1.0)
    assert control(DIPOLE, vectors, vectors).name.endswith("of zero")


def test_node_targets_average_over_the_atoms_of_each_record_first():
    forces = Field("forces", NODE, Irreps("1x1o"))
    truth = [torch.zeros(1, 3), torch.zeros(3, 3)]
    found = named(evaluate_target(forces, [torch.ones(1, 3), torch.zeros(3, 3)], truth))
    assert found["forces/mae"].value == pytest.approx(0.5)


def test_a_prediction_that_is_not_a_number_is_not_swept_under():
    truth = [torch.tensor([1.0]), torch.tensor([2.0])]
    found = named(evaluate_target(ENERGY, [torch.tensor([math.nan]), torch.tensor([2.0])], truth))
    assert math.isnan(found["energy/mae"].value)


def test_no_label_at_all_is_an_error_and_not_a_figure():
    with pytest.raises(DataError, match="'energy': no record has a label"):
        evaluate_target(ENERGY, [torch.tensor([1.0])], [torch.tensor([math.nan])])


def test_classes_count_how_often_they_are_wrong():
    kind = Field("kind", GRAPH, Label(3))
    truth = [torch.tensor([0]), torch.tensor([2]), torch.tensor([2])]
    scores = [torch.tensor([[1.0, 0.0, 0.0]])] * 3
    assert evaluate_target(kind, scores, truth)[0].value == pytest.approx(2 / 3)
    found = control(kind, truth, truth)
    assert found.name == "kind/error_rate of the commonest class"
    assert found.value == pytest.approx(1 / 3)


def test_records_without_a_class_count_neither_as_right_nor_as_wrong():
    kind, missing = Field("kind", GRAPH, Label(3)), torch.tensor([-100])
    truth = [torch.tensor([0]), missing, torch.tensor([2]), missing]
    scores = [torch.tensor([[1.0, 0.0, 0.0]])] * 4
    found = evaluate_target(kind, scores, truth)[0]
    assert (found.value, found.records) == (0.5, 2)
    assert control(kind, [missing, missing, torch.tensor([2])], truth).value == 0.5
    with pytest.raises(DataError, match="no record has a label"):
        evaluate_target(kind, [scores[0]], [missing])
