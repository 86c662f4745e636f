"""The pooled model: counts, kernel members, fits that cross no group, gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data

from intertwiner.schema import Schema
from intertwiner_atomic_conv.config import PooledConfig
from intertwiner_atomic_conv.errors import InvalidSetting
from intertwiner_atomic_conv.evaluation.descriptors import hard_counts
from intertwiner_atomic_conv.pooled.counts import SHELLS, count_pairs
from intertwiner_atomic_conv.pooled.kernel_ridge import group_folds
from intertwiner_atomic_conv.pooled.model import build_pooled


def counts_of(batch: Batch) -> torch.Tensor:
    return count_pairs(batch.pos, batch.z, batch.part, batch.ptr)


def test_counts_are_those_of_counting(
    make_complex: Callable[..., Data], make_batch: Callable[..., Batch]
) -> None:
    record = make_complex(60, 6)
    found = counts_of(make_batch(make_complex(40, 5, 2), record))
    carbon = (record.z == 6) | (record.z == 16)  # one class
    nitrogen = record.z == 7
    ligand = record.part == 1
    gap = torch.cdist(record.pos[ligand & carbon], record.pos[~ligand & nitrogen])
    for number, end in enumerate(SHELLS):
        sharp = ((gap < end - 0.4).sum(), (gap < end + 0.4).sum())
        seen = float(found.shells[1].view(3, 5, len(SHELLS))[0, 1, number])
        assert float(sharp[0]) - 1e-9 <= seen <= float(sharp[1]) + 1e-9
    assert float(found.heavy_atoms[1]) == 6.0


def test_smooth_counts_of_rf_score_are_near_the_hard_ones(
    make_complex: Callable[..., Data], make_batch: Callable[..., Batch]
) -> None:
    record = make_complex(120, 8)
    smooth = counts_of(make_batch(record)).rf_score[0].numpy()
    np.testing.assert_allclose(smooth, hard_counts(record), atol=6.0)
    assert smooth.sum() > 50


def test_counts_can_be_differentiated(
    make_complex: Callable[..., Data], make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch(make_complex(14, 3))

    def shells(pos: torch.Tensor) -> torch.Tensor:
        return count_pairs(pos, batch.z, batch.part, batch.ptr).shells

    assert torch.autograd.gradcheck(shells, (batch.pos.requires_grad_(),))


def test_folds_for_choosing_settings_keep_groups_whole() -> None:
    groups = torch.arange(12).repeat_interleave(5)
    fold = group_folds(groups, 4)
    assert fold.view(12, 5).float().std(1).max() == 0
    assert fold.bincount().tolist() == [15] * 4


@pytest.fixture
def fitted(make_complex: Callable[..., Data], schema: Schema) -> tuple:
    records = [make_complex(60, 4 + seed % 5, seed) for seed in range(24)]
    for number, record in enumerate(records):
        record.pos = record.pos.float()
        record.pK = torch.tensor([5.0 + 0.2 * float((record.part == 1).sum())])
        record.group = torch.tensor([number // 2])
    torch.manual_seed(0)
    network = build_pooled(PooledConfig(capacity=30, perceptrons=2), schema)
    network.prepare([Batch.from_data_list(records[:12]), Batch.from_data_list(records[12:])])
    return network.eval(), records


def test_the_interaction_is_zero_when_nothing_is_in_reach(fitted: tuple) -> None:
    network, records = fitted
    far = records[0].clone()
    far.pos = far.pos + 60.0 * (far.part == 1).unsqueeze(1)
    batch = Batch.from_data_list([records[0], far])
    found = network.interaction(network.features(batch)).detach()
    assert float(found[0]) != 0.0
    assert float(found[1]) == 0.0


def test_kernel_members_fit_their_records_and_missing_labels_do_not_count(fitted: tuple) -> None:
    network, records = fitted
    batch = Batch.from_data_list(records)
    members = network.members(network.features(batch)).detach()[:2, :, 0]
    for member in members:
        assert torch.corrcoef(torch.stack([member, batch.pK]))[0, 1] > 0.5
    records[0].pK = torch.tensor([torch.nan])
    network.prepare([Batch.from_data_list(records)])
    assert bool(torch.isfinite(network(batch)["pK"]).all())


def test_more_records_than_it_can_keep_are_refused(fitted: tuple, schema: Schema) -> None:
    network = build_pooled(PooledConfig(capacity=10), schema)
    with pytest.raises(InvalidSetting, match=r"set --model\.capacity 24"):
        network.prepare([Batch.from_data_list(fitted[1])])
