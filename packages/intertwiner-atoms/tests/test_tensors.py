from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from intertwiner_atoms.tensors import irreps_from_six, six_from_irreps

NUMBERS = st.floats(-100, 100)
SIX = ((0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2))


def six(matrix: np.ndarray) -> np.ndarray:
    return np.array([matrix[place] for place in SIX])


@given(arrays(np.float64, (4, 6), elements=NUMBERS))
def test_there_and_back_gives_the_same_tensor(values: np.ndarray) -> None:
    assert np.allclose(six_from_irreps(irreps_from_six(values)), values, atol=1e-9)


@given(arrays(np.float64, (6,), elements=NUMBERS))
def test_the_traceless_part_keeps_its_length(values: np.ndarray) -> None:
    xx, xy, yy, xz, yz, zz = values
    traceless = (
        np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) - np.eye(3) * (xx + yy + zz) / 3
    )
    parts = irreps_from_six(values)
    assert math.isclose(parts[0], (xx + yy + zz) / 3, abs_tol=1e-9)
    assert math.isclose((parts[1:] ** 2).sum(), (traceless**2).sum(), rel_tol=1e-9, abs_tol=1e-9)


@given(arrays(np.float64, (3,), elements=st.floats(-1, 1)))
def test_the_basis_is_that_of_the_second_order_harmonics(vector: np.ndarray) -> None:
    """Component harmonics of order 2 in e3nn's order: xz, xy, yy, yz, zz - xx."""
    x, y, z = vector
    harmonics = math.sqrt(15) * np.array(
        [x * z, x * y, (y * y - (x * x + z * z) / 2) / math.sqrt(3), y * z, (z * z - x * x) / 2]
    )
    parts = irreps_from_six(six(np.outer(vector, vector)))
    assert np.allclose(math.sqrt(7.5) * parts[1:], harmonics, atol=1e-12)


def test_missing_stays_missing() -> None:
    assert np.isnan(irreps_from_six(np.full(6, np.nan))).all()
