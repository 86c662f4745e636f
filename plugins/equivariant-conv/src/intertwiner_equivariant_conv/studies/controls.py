"""Errors of predictions without a network, fitted to the training part: what arms must beat."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from intertwiner_equivariant_conv.layers.readout import DEBYE

__all__ = ["COMPOSITION", "MEAN", "POINT_CHARGES", "point_charge_control", "scalar_controls"]

MEAN = "control: training mean"
COMPOSITION = "control: composition fit"
POINT_CHARGES = "control: true point charges"
Records = Sequence[Data]


def scalar_controls(
    training: Records, test: Records, targets: Sequence[str], species: Sequence[int]
) -> dict[str, dict[str, float]]:
    """control -> target -> mean absolute error over the test records, in the target's unit.

    The mean of the training labels, and their linear fit to a constant and the number of atoms
    of every element. Labels that are NaN are left out.
    """
    counts = _counts(training, species), _counts(test, species)
    found: dict[str, dict[str, float]] = {MEAN: {}, COMPOSITION: {}}
    for target in targets:
        known, truth = _labels(training, target), _labels(test, target)
        for name, columns in ((MEAN, slice(0, 1)), (COMPOSITION, slice(None))):
            inputs = [count[:, columns] for count in counts]
            found[name][target] = _fit_error(inputs[0], known, inputs[1], truth)
    return found


def point_charge_control(records: Records) -> tuple[float, float]:
    """(length, component): errors in debye of the moment of the labels' own atomic charges."""
    lengths, components = [], []
    for record in records:
        truth = record.dipole.double().reshape(3)
        centred = record.pos.double() - record.pos.double().mean(0)
        moment = DEBYE * record.charges.double() @ centred
        lengths.append((moment.norm() - truth.norm()).abs())
        components.append((moment - truth).abs())
    return float(torch.stack(lengths).mean()), float(torch.stack(components).mean())


def _counts(records: Records, species: Sequence[int]) -> Float[Tensor, "records columns"]:
    """One, and how many atoms of every element."""
    known = torch.tensor(species)
    rows = [(record.z.unsqueeze(1) == known).sum(0) for record in records]
    counts = torch.stack(rows).double()
    return torch.cat([torch.ones(len(counts), 1, dtype=torch.float64), counts], 1)


def _labels(records: Records, target: str) -> Float[Tensor, " records"]:
    return torch.cat([record[target].reshape(-1) for record in records]).double()


def _fit_error(inputs: Tensor, labels: Tensor, test_inputs: Tensor, truth: Tensor) -> float:
    """The mean absolute error of the smallest least-squares fit."""
    known, judged = labels.isfinite(), truth.isfinite()
    right = labels[known].unsqueeze(1)
    solved = torch.linalg.lstsq(inputs[known], right, driver="gelsd").solution.squeeze(1)
    return float((test_inputs @ solved - truth)[judged].abs().mean())
