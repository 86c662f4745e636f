"""What a model has to beat: predictions that know nothing of the interaction, and RF-Score.

Each control is a function (descriptors, training rows, test rows, seed) -> predictions of the test
rows. Forests need scikit-learn (extra `controls`); kernel ridge regressions need nothing.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from intertwiner_atomic_conv.evaluation.descriptors import Descriptors
from intertwiner_atomic_conv.pooled.kernel_ridge import Standard, fit_ridge

__all__ = ["Predict", "available_controls", "kernel_ridge"]

Table = NDArray[np.float64]
Numbers = NDArray[np.int64]
Predict = Callable[[Descriptors, Numbers, Numbers, int], Table]

TREES = 200
LIMIT = 4.0
RIDGES, WIDTHS = (0.1, 0.3, 1.0, 3.0), (0.03, 0.1, 0.3, 1.0)


def available_controls() -> Mapping[str, Predict]:
    """Every control that can run here, by the name it has in tables."""
    found: dict[str, Predict] = {
        "mean": mean,
        "heavy-atom count": heavy_atoms,
        "nearest neighbour": nearest_neighbour,
        "RF-Score counts, kernel ridge": rf_score_ridge,
    }
    if importlib.util.find_spec("sklearn") is not None:
        found |= {
            "RF-Score v1 (forest)": rf_score_forest,
            "ligand only (forest)": ligand_forest,
            "protein only (forest)": protein_forest,
        }
    else:
        found |= {"ligand only (ridge)": ligand_ridge, "protein only (ridge)": protein_ridge}
    return found


def mean(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    return np.full(len(test), data.y[train].mean())


def heavy_atoms(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    """A straight line through the number of the ligand's heavy atoms."""
    slope, offset = np.polyfit(data.size[train], data.y[train], 1)
    predicted: Table = slope * data.size[test] + offset
    return predicted


def nearest_neighbour(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    """The label of the training complex most alike in pocket and ligand (product of cosines)."""
    alike = _cosine(data.protein[test], data.protein[train]) * _cosine(
        data.ligand[test], data.ligand[train]
    )
    predicted: Table = data.y[train][alike.argmax(1)]
    return predicted


def _cosine(a: Table, b: Table) -> Table:
    a, b = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (a, b))
    likeness: Table = a @ b.T
    return likeness


def rf_score_ridge(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    return kernel_ridge(np.log1p(data.rf_score), data, train, test)


def ligand_ridge(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    return kernel_ridge(np.log1p(data.ligand), data, train, test)


def protein_ridge(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    return kernel_ridge(data.protein, data, train, test)


def kernel_ridge(x: Table, data: Descriptors, train: Numbers, test: Numbers) -> Table:
    """Settings chosen by folds of whole groups within the training rows."""
    table = torch.from_numpy(x)
    standard = Standard.of(table[train])
    a, b = standard(table[train], LIMIT), standard(table[test], LIMIT)
    labels = torch.from_numpy(data.y[train]).unsqueeze(1)
    fit = fit_ridge(a, labels, torch.from_numpy(data.group[train]), RIDGES, WIDTHS)
    varying = max(1, int((standard.inverse > 0).sum()))
    kernel = torch.exp(-fit.width / varying * torch.cdist(b, a).square())
    predicted: Table = (fit.mean + kernel @ fit.coefficients).squeeze(1).numpy()
    return predicted


def rf_score_forest(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    return _forest(data.rf_score, data, train, test, seed)


def ligand_forest(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    return _forest(data.ligand, data, train, test, seed)


def protein_forest(data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    return _forest(data.protein, data, train, test, seed)


def _forest(x: Table, data: Descriptors, train: Numbers, test: Numbers, seed: int) -> Table:
    """200 trees, a third of the features per split."""
    from sklearn.ensemble import RandomForestRegressor

    share = 1 / 3 if x.shape[1] < 1000 else "sqrt"
    forest = RandomForestRegressor(TREES, max_features=share, random_state=seed, n_jobs=1)
    predicted: Table = forest.fit(x[train], data.y[train]).predict(x[test])
    return predicted
