"""The plugin's own models as predictors for the table: the pooled ensemble and the networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data

from intertwiner.data.batches import Batches
from intertwiner.fields import Structure
from intertwiner.schema import Schema
from intertwiner_atomic_conv.config import AtomicConvConfig, PooledConfig
from intertwiner_atomic_conv.evaluation.descriptors import Descriptors
from intertwiner_atomic_conv.evaluation.metrics import pearson
from intertwiner_atomic_conv.fields import AFFINITY, COMPLEX_FIELDS
from intertwiner_atomic_conv.graphs.cache import GraphCache
from intertwiner_atomic_conv.model import AtomicConvNetwork, build_network
from intertwiner_atomic_conv.pooled.model import Features, PooledNetwork, build_pooled

__all__ = [
    "SCHEMA",
    "TrainedNetwork",
    "fit_pooled",
    "memorised",
    "pooled",
    "pooled_apart",
    "pooled_elsewhere",
    "pooled_permuted",
]

SCHEMA = Schema(structure=Structure.COMPLEX, inputs=COMPLEX_FIELDS, targets=(AFFINITY,))
Table = NDArray[np.float64]
Numbers = NDArray[np.int64]

BATCH, EPOCHS, RATE, DECAY, CLIP = 32, 10, 3e-3, 1e-2, 5.0
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


def _predict(model: PooledNetwork, features: Features, rows: Numbers) -> Table:
    with torch.no_grad():
        members = model.members(features[torch.from_numpy(rows)].to(torch.float32))
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
    return _predict(_fitted(data, train, seed), data.shells, test)


def pooled_elsewhere(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    """The ensemble, every test ligand in another protein's pocket."""
    return _predict(_fitted(data, train, seed), data.elsewhere, test)


def pooled_apart(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    """The ensemble, every test ligand moved out of reach: what it knows of the ligand alone."""
    return _predict(_fitted(data, train, seed), data.shells.apart(), test)


def pooled_permuted(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    """The ensemble trained on labels in random order: must predict nothing."""
    return _predict(fit_pooled(data, train, seed, _permuted(data, train, seed)), data.shells, test)


def memorised(data: Descriptors, train: Numbers, seed: int) -> float:
    """R of the ensemble on the training rows themselves, their labels in random order."""
    labels = _permuted(data, train, seed)
    fitted = fit_pooled(data, train, seed, labels)
    return pearson(_predict(fitted, data.shells, train), labels[train])


def _permuted(data: Descriptors, train: Numbers, seed: int) -> Table:
    order = np.random.default_rng(seed).permutation(len(train))
    labels = data.y.copy()
    labels[train] = data.y[train][order]
    return labels


class TrainedNetwork:
    """A network trained by AdamW with one cycle of the learning rate; a method of the table."""

    def __init__(
        self, config: AtomicConvConfig, records: Sequence[Data], epochs: int = EPOCHS
    ) -> None:
        self.config, self.records, self.epochs = config, records, epochs
        self._graphs = GraphCache(build_network(config, SCHEMA)._graph, KEPT_GRAPHS)

    def __call__(self, data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
        """Predictions of the test rows."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = build_network(self.config, SCHEMA)
            model.graphs = self._graphs
            _train(model, [self.records[row] for row in train], self.epochs, seed)
        return _outputs(model.eval(), [self.records[row] for row in test])


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
