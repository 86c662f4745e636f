"""Parameter counts against real networks, and matching of widths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertwiner_equivariant_conv import (
    DepthwiseConfig,
    DepthwiseNetwork,
    count_parameters,
    match_width,
)
from intertwiner_equivariant_conv.errors import InvalidSetting


@pytest.mark.parametrize("lmax", [0, 1, 2, 3])
@pytest.mark.parametrize("readout", ["charge", "vector", "charge+vector"])
def test_count_is_that_of_the_network(
    make_schema: Callable[..., Any], lmax: int, readout: str
) -> None:
    if lmax == 0 and "vector" in readout:
        readout = "charge"
    config = DepthwiseConfig(
        lmax=lmax, channels=6, layers=2, radial_hidden=(7, 5), dipole_readout=readout
    )
    network = DepthwiseNetwork(config, make_schema("dipole"))
    assert sum(p.numel() for p in network.parameters()) == count_parameters(
        6,
        2,
        lmax,
        charges="charge" in readout,
        vectors="vector" in readout,
        radial_hidden=(7, 5),
    )


@given(st.integers(100_000, 500_000), st.integers(2, 5), st.integers(0, 2))
def test_matched_width_is_within_three_percent(target: int, depth: int, lmax: int) -> None:
    width = match_width(target, depth, lmax)
    assert abs(count_parameters(width, depth, lmax) - target) <= 0.03 * target


def test_too_small_a_target_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="no width at lmax 1 and depth 3 comes within 3 %"):
        match_width(1000, 3, 1)
