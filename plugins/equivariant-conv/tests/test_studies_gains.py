"""Gains of hand-made errors, by hand; and what they must obey."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertwiner_equivariant_conv.studies.gains import Gain, gain, gains_by_target, mean_gain

ERRORS = {
    "a": {0: {"t": 2.0, "u": 1.0}, 1: {"t": 4.0, "u": 1.0}},
    "b": {0: {"t": 1.0, "u": 0.9}, 1: {"t": 3.0, "u": 1.1}},
    "c": {0: {"t": 1.0, "u": 2.0}, 1: {"t": 1.0, "u": 2.0}},
    "d": {0: {"t": 0.8, "u": 1.0}, 1: {"t": 0.5, "u": 1.5}},
}
PAIRS = [("a", "b"), ("c", "d")]


def test_the_mean_gain_by_hand() -> None:
    # seed 0: a to b 50 and 10 %, c to d 20 and 50 %; seed 1: 25 and -10 %, 50 and 25 %
    found = mean_gain(ERRORS, PAIRS, ("t", "u"))
    assert found is not None
    assert found.mean == pytest.approx((32.5 + 22.5) / 2)
    assert found.spread == pytest.approx(50**0.5)  # 32.5 and 22.5
    assert found.seeds == 2


def test_gains_of_single_targets_by_hand() -> None:
    found = gains_by_target(ERRORS, PAIRS, ("t", "u"))
    assert {name: item.mean for name, item in found.items()} == pytest.approx(
        {"t": (35 + 37.5) / 2, "u": (30 + 7.5) / 2}
    )


def test_only_seeds_that_every_arm_has_count() -> None:
    errors = {**ERRORS, "d": {1: ERRORS["d"][1]}}
    found = mean_gain(errors, PAIRS, ("t", "u"))
    assert found is not None
    assert (found.seeds, found.spread) == (1, None)
    assert found.mean == pytest.approx(22.5)


def test_an_arm_that_was_not_trained_gives_no_gain() -> None:
    assert mean_gain(ERRORS, [("a", "e")], ("t",)) is None
    assert gains_by_target(ERRORS, [("a", "e")], ("t",)) == {}


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_a_gain_does_not_depend_on_the_unit_and_is_none_for_equal_errors(
    before: float, after: float, unit: float
) -> None:
    assert gain(before, before) == 0.0
    assert gain(unit * before, unit * after) == pytest.approx(gain(before, after), abs=1e-9)


def test_a_gain_is_written_with_its_spread() -> None:
    assert str(Gain(12.34, 1.26, 3)) == "12.3 ± 1.3"
    assert str(Gain(12.34, None, 1)) == "12.3"
