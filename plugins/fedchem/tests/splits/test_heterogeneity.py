"""How clients differ, and the moments of the multinomial division."""

from __future__ import annotations

import numpy as np
import pytest

from intertwiner.federated.partition import dirichlet_partition
from intertwiner_fedchem.splits.heterogeneity import heterogeneity, total_variation
from intertwiner_fedchem.splits.parts import parts_of

GROUPS = np.repeat(np.arange(10), 40)


def test_equal_clients_have_no_excess_and_disjoint_ones_nearly_all() -> None:
    labels = GROUPS.astype(float)
    everyone = np.arange(len(GROUPS))
    same = heterogeneity(GROUPS, [everyone[start::4] for start in range(4)], labels)
    apart = heterogeneity(GROUPS, np.array_split(everyone, 5), labels)
    assert total_variation(GROUPS, [everyone[start::4] for start in range(4)]) == 0
    assert same.excess < 0.05
    assert "practically equal" in str(same)
    assert total_variation(GROUPS, np.array_split(everyone, 5)) == pytest.approx(0.8)
    assert apart.excess > 0.7
    assert apart.label_means == (0.5, 2.5, 4.5, 6.5, 8.5)


def test_the_distance_of_labels_is_how_far_they_must_be_moved() -> None:
    labels = np.array([0.0, 0.0, 1.0, np.nan])
    groups = np.zeros(4, dtype=np.int64)
    found = heterogeneity(groups, [np.array([0, 1]), np.array([2, 3])], labels)
    assert found.label_distances == pytest.approx((1 / 3, 2 / 3))


@pytest.mark.parametrize("alpha", [0.1, 1.0])
def test_shares_have_the_moments_of_the_dirichlet_multinomial_law(alpha: float) -> None:
    """Of a group of n, a client has n/c members on average, with variance
    n (1/c) (1 - 1/c) (n + c alpha) / (1 + c alpha).
    """
    clients, size, draws = 4, 20, 500
    groups = np.repeat(np.arange(4), size)
    counts = np.array(
        [
            [np.bincount(groups[part], minlength=4)[0] for part in division]
            for division in (dirichlet_partition(groups, clients, alpha, n) for n in range(draws))
        ]
    )
    assert counts.sum(1).tolist() == [size] * draws
    variance = size * 3 / 16 * (size + clients * alpha) / (1 + clients * alpha)
    standard_error = (variance / draws) ** 0.5
    kept = counts[:, 0]
    assert abs(kept.mean() - size / clients) < 5 * standard_error
    assert kept.var() == pytest.approx(variance, rel=0.25)


def test_single_molecules_go_to_all_clients_alike() -> None:
    groups = np.arange(400)
    sizes = np.array([[len(p) for p in dirichlet_partition(groups, 4, 0.1, n)] for n in range(20)])
    expected = sizes.sum() / 4
    chi_squared = ((sizes.sum(0) - expected) ** 2 / expected).sum()
    assert chi_squared < 16.3  # 99.9 % of three degrees of freedom
    assert sizes.sum(1).tolist() == [400] * 20


def test_scaffolds_and_equal_molecules_stay_on_one_side() -> None:
    scaffold, identity = np.arange(200) // 4, np.arange(200) // 2
    for scheme, keys in (("random", identity), ("scaffold", scaffold)):
        parts = parts_of(scaffold, identity, 3)[scheme]
        seen = [set(keys[rows].tolist()) for rows in parts.values()]
        assert not seen[0] & seen[1]
        assert not (seen[0] | seen[1]) & seen[2]
        assert sum(map(len, parts.values())) == 200
