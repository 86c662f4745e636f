"""The loss of energies and forces: per atom, per component, missing labels left out."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.data import Batch

from intertwiner_equivariant_conv.loss import energy_force_loss


def make_batch() -> Batch:
    return Batch(
        pos=torch.zeros(6, 3),
        ptr=torch.tensor([0, 2, 6]),
        energy=torch.tensor([1.0, 3.0]),
        forces=torch.ones(6, 3),
    )


def test_energies_count_by_atom_and_forces_by_component() -> None:
    predicted = {"energy": torch.tensor([3.0, 3.0]), "forces": torch.zeros(6, 3)}
    assert float(energy_force_loss(predicted, make_batch(), 1.0, 0.0)) == pytest.approx(0.5)
    assert float(energy_force_loss(predicted, make_batch(), 0.0, 2.0)) == pytest.approx(2.0)


def test_missing_labels_neither_count_nor_spoil_gradients() -> None:
    batch = make_batch()
    batch.energy[1] = float("nan")
    energy = torch.tensor([3.0, 9.0], requires_grad=True)
    loss = energy_force_loss({"energy": energy, "forces": batch.forces}, batch, 1.0, 1.0)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(1.0)
    assert energy.grad.tolist() == pytest.approx([1.0, 0.0])
