"""The atomic convolution of a batch's interface, and the energy it makes: dG of every complex.

    S[b, k]  = sum over the edges of block b of f_k(r)                       radial pooling
    H[c, i]  = sum over the blocks b of node i and kind c of S[b] W[t_i, a_b]  first layer
    h_complex = H[COMMON] + H[CROSS]      h_fragment = H[COMMON] + H[DISPLACED]
    dG = sum_i N(h_complex[i]) - N(h_fragment[i])

The (atoms x buckets x filters) matrix of features is never built: it is zero for most buckets.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_atomic_conv.graphs.blocks import Interface
from intertwiner_atomic_conv.graphs.interface import COMMON, CROSS, DISPLACED
from intertwiner_atomic_conv.kernels import grouped_linear, radial_pool
from intertwiner_atomic_conv.layers.networks import AtomicNetworks
from intertwiner_atomic_conv.layers.radial import RadialFilters

__all__ = ["AtomicConvolution"]

KINDS = 3
Limits = tuple[float, float]


class AtomicConvolution(nn.Module):
    """Energy differences of complexes from their interfaces.

    limits: where edges to the own and to other parts end (angstrom); no filter reaches farther.
    scale [buckets * filters]: features are multiplied by it.
    """

    scale: Tensor

    def __init__(
        self, filters: RadialFilters, networks: AtomicNetworks, buckets: int, limits: Limits
    ) -> None:
        super().__init__()
        self.filters, self.networks = filters, networks
        self.buckets, self.limits = buckets, limits
        self.register_buffer("scale", torch.ones(buckets * len(filters)))

    def forward(
        self, interface: Interface, pos: Float[Tensor, "atoms 3"] | None = None
    ) -> Float[Tensor, "complexes outputs"]:
        """dG of every complex. pos: positions to differentiate by, in angstrom.

        Exactly 0 where no atom sees another part.
        """
        energy = self.atom_energies(interface, pos)
        out = energy.new_zeros(interface.complexes, energy.shape[1])
        return out.index_add(0, interface.complex, energy)

    def atom_energies(
        self, interface: Interface, pos: Float[Tensor, "atoms 3"] | None = None
    ) -> Float[Tensor, "nodes outputs"]:
        """What binding changes in the energy of every changed atom; their sum is dG."""
        hidden = self.first_layer(interface, self.pooled(interface, pos))
        common = hidden[COMMON]
        both = torch.cat([common + hidden[CROSS], common + hidden[DISPLACED]])
        bound, free = self.networks.rest(both, interface.nodes, copies=2).chunk(2)
        return bound - free

    def pooled(
        self, interface: Interface, pos: Float[Tensor, "atoms 3"] | None = None
    ) -> Float[Tensor, "blocks filters"]:
        """Filters summed over the edges of every block."""
        distance = self._distances(interface, pos)
        own, other = self.limits
        if own == other:
            return radial_pool(distance, interface.pointer, *self.filters.values(own))
        edge = int(interface.pointer[interface.ends])
        ends, begins = interface.pointer[: interface.ends + 1], interface.pointer[interface.ends :]
        within = radial_pool(distance[:edge], ends, *self.filters.values(own))
        across = radial_pool(distance[edge:], begins - edge, *self.filters.values(other))
        return torch.cat([within, across])

    def _distances(self, interface: Interface, pos: Tensor | None) -> Float[Tensor, " edges"]:
        if pos is None or not pos.requires_grad:
            return interface.distance.to(self.scale.dtype)
        vectors = pos.index_select(0, interface.neighbor) - pos.index_select(0, interface.center)
        return torch.linalg.vector_norm(vectors, dim=1)

    def first_layer(
        self, interface: Interface, pooled: Float[Tensor, "blocks filters"]
    ) -> Float[Tensor, "kinds nodes width"]:
        """Inputs of the networks' first nonlinearity, one set for each kind of edge."""
        nodes = len(interface.atom)
        slices = [(number, first, stop) for number, (_, first, stop) in enumerate(interface.pairs)]
        weight = self.weights(interface, pooled.device)
        rows = grouped_linear(pooled, weight, slices, interface.row, KINDS * nodes)
        return rows.view(KINDS, nodes, rows.shape[1])

    def weights(
        self, interface: Interface, device: torch.device
    ) -> Float[Tensor, "slices filters width"]:
        """The scaled matrix of each slice of blocks: few of the pairs of buckets occur."""
        pair = torch.tensor([pair for pair, _, _ in interface.pairs], device=device).long()
        first = self.networks.first()
        matrices = first.view(-1, len(self.filters), first.shape[2])
        scale = self.scale.view(self.buckets, -1)[pair % self.buckets]
        return matrices.index_select(0, pair) * scale.unsqueeze(2)
