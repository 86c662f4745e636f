"""What reports share: order of arms, spread over seeds, pictures that cannot be drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from intertwiner.errors import RunError
from intertwiner.training.recipes import ArmResult
from intertwiner.training.reports import by_arm, draw_all, figure, over_seeds


def result(arm: str, seed: int) -> ArmResult:
    return ArmResult(arm, seed, Path(arm), 1, 1.0, {})


def test_arms_keep_the_order_in_which_they_come():
    found = by_arm([result("wide", 0), result("narrow", 0), result("wide", 1)])
    assert {arm: [r.seed for r in rs] for arm, rs in found.items()} == {
        "wide": [0, 1],
        "narrow": [0],
    }
    assert list(found) == ["wide", "narrow"]


def test_one_seed_has_no_spread():
    assert over_seeds([2.0]) == (2.0, None)
    mean, spread = over_seeds(value for value in (1.0, 3.0))
    assert mean == 2.0
    assert spread == pytest.approx(2**0.5)


def test_a_figure_is_the_mean_with_its_number_of_seeds():
    found = figure("error", [1.0, 3.0], "eV", "at most 2")
    assert (found.value, found.seeds, found.unit, found.required) == (2.0, 2, "eV", "at most 2")


def test_a_picture_that_cannot_be_drawn_is_named_with_its_reason(tmp_path):
    def fail() -> Path:
        raise RunError("no screen")

    pictures, missing = draw_all({"curves": fail, "map": lambda: tmp_path / "map.png"})
    assert pictures == [tmp_path / "map.png"]
    assert missing == ["The picture curves is left out: no screen"]
