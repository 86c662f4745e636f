"""Means and spreads over seeds, and how they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from intertwiner.errors import RunError
from intertwiner.training.recipes import ArmResult
from intertwiner_equivariant_conv.studies.arms import (
    by_arm,
    draw_all,
    mismatch,
    over_seeds,
    shown,
)


def test_results_are_put_together_by_arm_in_their_order() -> None:
    results = [
        ArmResult(arm, seed, Path(), 1, 1.0, {}) for seed in (0, 1) for arm in ("wide", "narrow")
    ]
    assert {arm: [r.seed for r in found] for arm, found in by_arm(results).items()} == {
        "wide": [0, 1],
        "narrow": [0, 1],
    }
    assert list(by_arm(results)) == ["wide", "narrow"]


def test_means_and_spreads_over_seeds() -> None:
    assert over_seeds([1.0, 3.0]) == (2.0, pytest.approx(2**0.5))
    assert over_seeds([1.0]) == (1.0, None)


@pytest.mark.parametrize(
    ("mean", "spread", "text"),
    [(0.12345, None, "0.1235"), (12.345, 0.5, "12.35 ± 0.50"), (0.5, 0.01234, "0.5000 ± 0.0123")],
)
def test_a_mean_has_four_digits_and_its_spread_as_many_places(
    mean: float, spread: float | None, text: str
) -> None:
    assert shown(mean, spread) == text


def test_the_mismatch_is_of_the_largest_and_the_smallest() -> None:
    assert mismatch([100, 103, 101]) == pytest.approx(3.0)


def test_a_picture_that_cannot_be_drawn_is_named_with_the_reason(tmp_path: Path) -> None:
    def fail() -> Path:
        raise RunError("drawing needs matplotlib, not installed")

    pictures, missing = draw_all([fail, lambda: tmp_path / "drawn.png"])
    assert pictures == [tmp_path / "drawn.png"]
    assert missing == ["A picture is left out: drawing needs matplotlib, not installed"]
