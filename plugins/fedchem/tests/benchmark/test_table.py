"""The table: arms, seeds and paired differences."""

from __future__ import annotations

import math

import pytest

from intertwiner_fedchem.benchmark.table import Cell, Key, difference, parse_arm
from intertwiner_fedchem.declarations.recipes import ALPHAS, METHODS, RECIPES, SETS


def test_every_arm_of_the_recipe_has_its_place() -> None:
    keys = {parse_arm(arm.name) for arm in RECIPES[0].arms}
    assert len(keys) == len(RECIPES[0].arms) == len(SETS) * (2 + len(ALPHAS) * (1 + len(METHODS)))
    assert Key("esol", "0.1", "flit-plus") in keys
    assert Key("esol", "", "centralised") in keys


def test_all_arms_of_a_scale_take_as_many_steps() -> None:
    """Each client as many as any other; the owner of all data as many as all clients together."""
    for scale in RECIPES[0].scales.values():
        for arm in scale.arms or RECIPES[0].arms:
            settings = {**scale.overrides, **arm.overrides}
            per_round = settings["federation.clients"] * settings["federation.local_steps"]
            alone = arm.name.endswith("one-client")
            whole = 4 * scale.overrides["federation.local_steps"]
            assert per_round == (whole // 4 if alone else whole)


def test_differences_are_paired_by_seed() -> None:
    one, other = Cell({0: 1.0, 1: 2.0, 2: 3.5}), Cell({0: 0.5, 1: 1.5, 2: 3.0, 7: 9.0})
    assert difference(one, other) == pytest.approx((0.5, 0.0, 3))
    assert difference(one, Cell({9: 1.0})) is None
    gap, half, seeds = difference(Cell({0: 1.0, 1: 3.0}), Cell({0: 0.0, 1: 0.0})) or (0, 0, 0)
    assert (gap, seeds) == (2.0, 2)
    assert half == pytest.approx(12.706 * math.sqrt(2) / math.sqrt(2))


def test_a_cell_says_mean_spread_and_number_of_seeds() -> None:
    assert str(Cell({0: 1.0, 1: 2.0})) == "1.500 ± 0.707 (2)"
    assert str(Cell({0: 1.0})) == "1.000 (1)"
