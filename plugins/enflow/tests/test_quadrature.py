"""DW4's constants come out of the quadrature, and the quadrature gets a Gaussian right."""

from __future__ import annotations

import math

import numpy as np
import pytest

from intertwiner_enflow.targets import DoubleWell
from intertwiner_enflow.targets.quadrature import (
    integrate,
    pair_distance_density,
    short_counts,
)


def test_the_constants_of_the_double_well_are_reproduced() -> None:
    found, target = integrate(spacing=0.12), DoubleWell()
    assert found.log_z == pytest.approx(target.log_z.value, abs=1e-7)
    assert found.mean_energy == pytest.approx(target.mean_energy.value, abs=1e-7)


def test_a_gaussian_has_its_known_normaliser() -> None:
    """w = exp(-r^2 / 8) for all pairs is exp(-|x|^2 / 2) on the subspace of zero mean."""
    found = integrate(lambda distance: distance**2 / 8, spacing=0.12)
    assert found.log_z == pytest.approx(3 * math.log(2 * math.pi), abs=1e-5)


def test_counts_of_short_pairs_are_the_stored_ones() -> None:
    found = short_counts(spacing=0.3)
    assert found.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(found, DoubleWell.short_counts, atol=4e-3)


def test_the_density_of_distances_integrates_to_one_and_has_its_mean() -> None:
    places, step = np.linspace(0.02, 7.6, 80, retstep=True)
    density = pair_distance_density(places, spacing=0.24)
    assert density.sum() * step == pytest.approx(1.0, abs=1e-3)
    assert (density * places).sum() * step == pytest.approx(4.044987, abs=2e-3)
