"""The path table: counts of the derivation, and what is refused."""

from __future__ import annotations

import pytest
import torch

from intertwiner_equivariant_conv.errors import InvalidInput
from intertwiner_equivariant_conv.layers.coupling import coupling
from intertwiner_equivariant_conv.layers.paths import infer_paths, path_table


@pytest.mark.parametrize(
    ("lmax", "paths", "rows_out", "nonzero", "pairs", "ending"),
    [
        (0, 1, 1, 1, 1, [1]),
        (1, 4, 8, 10, 10, [2, 2]),
        (2, 11, 35, 83, 79, [3, 4, 4]),
        (3, 23, 99, 353, 311, [4, 6, 7, 6]),
    ],
)
def test_counts_of_natural_parity(
    lmax: int, paths: int, rows_out: int, nonzero: int, pairs: int, ending: list[int]
) -> None:
    table = path_table(lmax, lmax)
    assert (len(table), table.rows_out) == (paths, rows_out)
    assert [len(table.ending_in(order)) for order in range(lmax + 1)] == ending
    constants, _ = coupling(table, torch.float64, torch.device("cpu"))
    present = constants.view(table.rows_edge, table.rows_out, table.rows_in).abs() > 1e-12
    assert int(present.sum()) == nonzero
    assert int(present.any(0).sum()) == pairs


def test_without_parity_the_cross_product_comes_in() -> None:
    table = path_table(1, 1, parity=False)
    assert [(path.l1, path.l2, path.l3) for path in table.paths][3:] == [
        (1, 1, 0),
        (1, 1, 1),
    ]


def test_paths_from_scalars_come_first() -> None:
    full, first = path_table(2, 2), path_table(0, 2)
    orders = [(path.l1, path.l2, path.l3) for path in full.paths]
    assert orders[: len(first)] == [(path.l1, path.l2, path.l3) for path in first.paths]


def test_weights_of_a_wrong_size_are_answered_with_the_table() -> None:
    with pytest.raises(InvalidInput, match=r"7 weights .* expected 8 for 4 paths \(0x0->0 0x1->1"):
        infer_paths(4, 4, 2, 7)


def test_rows_that_are_no_square_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"features have 5 rows"):
        infer_paths(5, 4, 2, 8)


@pytest.mark.parametrize("lmax", [0, 1, 2, 3])
@pytest.mark.parametrize("from_scalars", [True, False])
def test_tables_a_network_uses_differ_in_size(lmax: int, from_scalars: bool) -> None:
    tables = {
        path_table(0 if from_scalars else lmax, lmax, parity, lmax_out).paths
        for parity in (True, False)
        for lmax_out in range(lmax + 1)
    }
    assert len({len(paths) for paths in tables}) == len(tables)
