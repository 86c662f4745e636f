"""The plugin's own models as predictors for the table: the pooled ensemble and the networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data

from intertwiner.data.batches import Batches
from intertwiner.fields import Structure
from intertwiner.schema import Schema
from intertwiner_atomic_conv.config import AtomicConvConfig, PooledConfig
from intertwiner_atomic_conv.evaluation.controls import Predict
from intertwiner_atomic_conv.evaluation.descriptors import Descriptors
from intertwiner_atomic_conv.fields import AFFINITY, COMPLEX_FIELDS
from intertwiner_atomic_conv.graphs.cache import GraphCache
from intertwiner_atomic_conv.model import AtomicConvNetwork, build_network
from intertwiner_atomic_conv.pooled.model import PooledNetwork, build_pooled

__all__ = ["SCHEMA", "fit_pooled", "network", "pooled", "pooled_apart", "pooled_permuted"]

SCHEMA = Schema(structure=Structure.COMPLEX, inputs=COMPLEX_FIELDS, targets=(AFFINITY,))
Table = NDArray[np.float64]
Numbers = NDArray[np.int64]

BATCH, EPOCHS, RATE, DECAY, CLIP = 32, 20, 3e-3, 1e-2, 5.0
KEPT_GRAPHS = 2**31
KEPT_FITS = 8


def fit_pooled(
    data: Descriptors, train: Numbers, seed: int, labels: Table | None = None
) -> PooledNetwork:
    """The ensemble fitted to some rows; its settings are chosen by groups within them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_pooled(PooledConfig(capacity=max(1, len(train))), SCHEMA)
    rows, y = torch.from_numpy(train), data.y if labels is None else labels
    truth = torch.from_numpy(y[train]).unsqueeze(1)
    groups = torch.from_numpy(data.group[train])
    model.fit(data.shells[rows], truth, groups, torch.Generator().manual_seed(seed))
    return model.eval()


def _predict(model: PooledNetwork, data: Descriptors, rows: Numbers, *, apart: bool) -> Table:
    features = data.shells[torch.from_numpy(rows)].to(torch.float32)
    with torch.no_grad():
        members = model.members(features.apart() if apart else features)
    predicted: Table = members.mean(0).squeeze(1).double().numpy()
    return predicted


_latest: dict[tuple[int, int, bytes], PooledNetwork] = {}


def _fitted(data: Descriptors, train: Numbers, seed: int) -> PooledNetwork:
    """`fit_pooled`, or the fit of the same rows just before."""
    key = (id(data), seed, train.tobytes())
    if key not in _latest:
        found = fit_pooled(data, train, seed)
        while len(_latest) >= KEPT_FITS:
            _latest.pop(next(iter(_latest)))
        _latest[key] = found
    return _latest[key]


def pooled(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    """The ensemble."""
    return _predict(_fitted(data, train, seed), data, test, apart=False)


def pooled_apart(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    """The ensemble, every test ligand moved out of reach: what it knows of the ligand alone."""
    return _predict(_fitted(data, train, seed), data, test, apart=True)


def pooled_permuted(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    """The ensemble trained on labels in random order: must predict nothing."""
    order = np.random.default_rng(seed).permutation(len(train))
    labels = data.y.copy()
    labels[train] = data.y[train][order]
    return _predict(fit_pooled(data, train, seed, labels), data, test, apart=False)


def network(config: AtomicConvConfig, records: Sequence[Data], epochs: int = EPOCHS) -> Predict:
    """A network trained by AdamW with one cycle of the learning rate."""
    shared = GraphCache(build_network(config, SCHEMA)._graph, KEPT_GRAPHS)

    def predict(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = build_network(replace(config), SCHEMA)
            model.graphs = shared
            _train(model, [records[row] for row in train], epochs, seed)
            model.eval()
            return _outputs(model, [records[row] for row in test])

    return predict


def _train(model: AtomicConvNetwork, records: list[Data], epochs: int, seed: int) -> None:
    model.prepare(Batches(records, BATCH, shuffle=False).epoch())
    batches = Batches(records, BATCH, shuffle=True, seed=seed)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, RATE, weight_decay=DECAY, fused=True)
    steps = epochs * len(batches)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    model.train()
    for epoch in range(epochs):
        for batch in batches.epoch(epoch):
            loss = 0.5 * (model(batch)["pK"] - batch.pK).square().mean()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, CLIP)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()


def _outputs(model: AtomicConvNetwork, records: list[Data]) -> Table:
    with torch.no_grad():
        found = [model(batch)["pK"] for batch in Batches(records, BATCH, shuffle=False).epoch()]
    predicted: Table = torch.cat(found).double().numpy()
    return predicted
