"""Ranks against counted pairs, errors with gaps, and guesses that need no network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertwiner_fedchem.data.synthetic import synthetic_dataset
from intertwiner_fedchem.declarations.datasets import GFN2_TARGETS
from intertwiner_fedchem.metrics.controls import (
    composition,
    composition_linear,
    scaffold_mean,
    training_mean,
)
from intertwiner_fedchem.metrics.errors import mean_rmse
from intertwiner_fedchem.metrics.ranking import auc, mean_auc


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from([0.0, 1.0, float("nan")])),
        min_size=1,
        max_size=12,
    )
)
def test_the_area_is_the_share_of_pairs_in_order_ties_counting_half(
    pairs: list[tuple[int, float]],
) -> None:
    scores, truth = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    positive, negative = scores[truth == 1], scores[truth == 0]
    wins = [(p > n) + 0.5 * (p == n) for p in positive for n in negative]
    found = auc(scores, truth)
    assert np.isnan(found) if not wins else found == pytest.approx(np.mean(wins))


def test_tasks_of_one_class_are_left_out_and_counted() -> None:
    truth = np.array([[0.0, 1.0], [1.0, 1.0], [np.nan, np.nan]])
    found = mean_auc(np.array([[0.1, 0.2], [0.3, 0.1], [0.9, 0.9]]), truth)
    assert (found.value, found.tasks, found.skipped) == (1.0, 1, 1)


def test_the_error_is_the_mean_over_tasks_of_what_is_known() -> None:
    truth = np.array([[0.0, 0.0], [2.0, np.nan], [np.nan, np.nan]])
    predicted = np.array([[3.0, 1.0], [2.0, 9.0], [9.0, 9.0]])
    assert mean_rmse(predicted, truth) == pytest.approx(((9 / 2) ** 0.5 + 1) / 2)
    assert np.isnan(mean_rmse(predicted[2:], truth[2:]))


def test_controls_guess_from_training_molecules_alone() -> None:
    labels = np.array([[1.0], [3.0], [np.nan], [8.0]])
    scaffolds = np.array([0, 0, 1, 2])
    assert training_mean(labels, 2).tolist() == [[4.0], [4.0]]
    guesses = scaffold_mean(scaffolds, labels, np.array([0, 1, 2, 7]))
    assert guesses[:, 0].tolist() == [2.0, 4.0, 8.0, 4.0]


def test_a_sum_over_atoms_is_linear_in_the_composition() -> None:
    records = list(synthetic_dataset(GFN2_TARGETS, 60, 0).records)
    features = composition(records)
    labels = features @ np.arange(features.shape[1], dtype=np.float64)[:, None]
    found = composition_linear(features[:40], labels[:40], features[40:])
    assert mean_rmse(found, labels[40:]) < 0.01 * labels.std()
