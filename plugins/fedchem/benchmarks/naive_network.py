"""The network as torch-geometric's layers give it: a matrix for every edge, in every step."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch
from torch_geometric.nn import NNConv

from intertwiner_fedchem.data.codes import SELF_LOOP
from intertwiner_fedchem.data.features import atom_features, bond_features
from intertwiner_fedchem.models.mpnn import MPNN

__all__ = ["NaiveNetwork"]


class NaiveNetwork(nn.Module):
    """NNConv and GRU of torch-geometric and torch, with the weights, projectors, read-out and head
    of `network`. Features are made beforehand.
    """

    def __init__(self, network: MPNN) -> None:
        super().__init__()
        self.network, convolution = network, network.convolution
        edge_network = nn.Sequential(convolution.first, nn.ReLU(), convolution.second)
        width = convolution.width
        self.convolution = NNConv(width, width, edge_network, aggr="add", root_weight=False)
        self.convolution.bias = convolution.bias

    def features(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Atoms, edges (self-loops last) and their ends."""
        own = torch.arange(len(batch.atom_code))
        codes = torch.cat([batch.bond_code, torch.full_like(own, SELF_LOOP)])
        ends = torch.cat([batch.edge_index, own.expand(2, -1)], 1)
        dtype = self.network.input.weight.dtype
        return atom_features(batch.atom_code, dtype), bond_features(codes, dtype), ends

    def forward(self, batch: Batch, features: tuple[Tensor, Tensor, Tensor]) -> dict[str, Tensor]:
        atoms, edges, ends = features
        network = self.network
        return self.forward_from(
            network.atom_projector(atoms), network.bond_projector(edges), ends, batch
        )

    def forward_from(
        self, atoms: Tensor, edges: Tensor, ends: Tensor, batch: Batch
    ) -> dict[str, Tensor]:
        """The outputs from projected features of atoms and edges."""
        network = self.network
        states = torch.relu(network.input(atoms))
        for _ in range(network.steps):
            received = torch.relu(self.convolution(states, ends, edges))
            states = network.gru.cell(received, states)
        return network.outputs(network.readout(states, batch.ptr))
