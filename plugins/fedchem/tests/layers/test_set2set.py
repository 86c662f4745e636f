"""The read-out equals torch-geometric's, and its unit torch's."""

from __future__ import annotations

import torch
from torch import nn
from torch_geometric.nn import Set2Set as TheirSet2Set

from intertwiner_fedchem.layers.gated_update import GatedUpdate
from intertwiner_fedchem.layers.set2set import Set2Set


def test_it_equals_that_of_torch_geometric_and_so_do_its_gradients() -> None:
    torch.manual_seed(0)
    ours, theirs = Set2Set(6, 3, 2).double(), TheirSet2Set(6, 3, num_layers=2).double()
    theirs.lstm.load_state_dict(ours.lstm.state_dict())
    sizes = torch.tensor([3, 1, 7])
    ptr, owner = torch.tensor([0, 3, 4, 11]), torch.repeat_interleave(sizes)
    states = torch.randn(11, 6, dtype=torch.float64, requires_grad=True)
    found = [ours(states, ptr), theirs(states, owner)]
    torch.testing.assert_close(*found, rtol=1e-12, atol=1e-12)
    slopes = [torch.autograd.grad(each.square().sum(), states)[0] for each in found]
    torch.testing.assert_close(*slopes, rtol=1e-12, atol=1e-12)


def test_the_gated_update_equals_torchs_cell() -> None:
    torch.manual_seed(0)
    ours = GatedUpdate(5).double()
    theirs = nn.GRUCell(5, 5).double()
    theirs.load_state_dict(ours.cell.state_dict())
    previous = torch.tensor([0, 0, 2, 1])
    received = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    states = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(
        ours(received, states, previous), theirs(received, states[previous]), rtol=1e-12, atol=0
    )
    assert torch.autograd.gradcheck(lambda x, h: ours(x, h, previous), (received, states))
