"""The fully connected convolution of the paper, without ever forming its radial functions.

For features F of multiplicity v and order li, all filters lf between |lo-li| and lo+li, and every
ordered pair of atoms (a, b) of a molecule,

    out[a,u,i] = sum_b sum_{v,li,lf} n R_{u,v,lf}(r_ab) M_ijf F[b,v,j],
    M_ijf = sum_k Q^{lo,li,lf}_{ijk} Ybar^{lf}_k

with R = W h(r), h of width H, and n = sqrt(4 pi (2 li + 1) / sum over input blocks of multiplicity
times filters). R, [pairs, u v lf], is the large thing here. It is linear in h, so either

    aggregate:  Z[a,(i,f,v),h] = sum_b (sum_j M_ijf F[b,v,j]) h[a,b],   out = Z W       or
    transform:  G[b,(j,f,u),h] = sum_v F[b,v,j] W,   P[b,a] = G[b] h[a,b],   out = sum_bjf M_ijf P

For n atoms these take (2 lo + 1)(m_in m_out + n m_in) and
(2 li + 1)(m_in m_out + n m_out) times H multiply-adds an atom and filter, against
n m_in m_out for R; each pair of orders takes the cheaper. In the first layer features depend on
the element alone: aggregation is over elements in place of features.

Plain matrix products throughout: differentiable to any order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intertwiner_equivariant_conv.paper.coupling import filters
from intertwiner_equivariant_conv.paper.gate import Features
from intertwiner_equivariant_conv.paper.pairs import Geometry
from intertwiner_equivariant_conv.paper.radial import HiddenRadial

__all__ = ["PaperConvolution", "transforms"]

TYPICAL_ATOMS = 18
"""Atoms of a molecule of QM9, for choosing the cheaper way. A constant, so that results do not
depend on the batch."""


def transforms(lo: int, li: int, mo: int, mi: int) -> bool:
    """Whether "transform" is cheaper than "aggregate" for these orders and multiplicities."""
    aggregate = (2 * lo + 1) * (mo * mi + TYPICAL_ATOMS * mi)
    return (2 * li + 1) * (mo * mi + TYPICAL_ATOMS * mo) < aggregate


class PaperConvolution(nn.Module):
    """Features of multiplicities `inputs` (by order) to those of `outputs`; 0 for none.

    first: inputs are scalars that depend on the element alone. radial: (functions in the basis,
    width, hidden layers). at_zero: the basis does not vanish at r = 0, so an atom acts on itself.
    linear: a learned map of every order from an atom to itself.

    `weights["lo-li"]`: [m_out, filters, m_in, hidden], or, where `transforms` says so, with m_in
    and m_out exchanged.
    """

    def __init__(
        self,
        inputs: Sequence[int],
        outputs: Sequence[int],
        *,
        radial: tuple[int, int, int],
        first: bool = False,
        at_zero: bool = False,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        self.first, self.at_zero = first, at_zero
        self.hidden = HiddenRadial(*radial)
        self.weights = nn.ParameterDict()
        self.linear = nn.ParameterDict()
        for lo, li in self.orders:
            mo, mi = outputs[lo], inputs[li]
            ends = (mi, mo) if self.transformed(lo, li) else (mo, mi)
            shape = (ends[0], len(filters(lo, li)), ends[1], radial[1])
            self.weights[f"{lo}-{li}"] = nn.Parameter(torch.randn(shape))
            if linear and lo == li:
                self.linear[str(lo)] = nn.Parameter(torch.randn(mi, mo))

    @property
    def orders(self) -> list[tuple[int, int]]:
        """(order out, order in) of all weights."""
        ins = [order for order, count in enumerate(self.inputs) if count]
        return [(lo, li) for lo, count in enumerate(self.outputs) if count for li in ins]

    def transformed(self, lo: int, li: int) -> bool:
        """Whether features meet the weights before they are summed."""
        return self.first or transforms(lo, li, self.outputs[lo], self.inputs[li])

    def forward(
        self,
        features: Features,
        basis: Float[Tensor, "pairs+2 basis"],
        geometry: Geometry,
        element: Int[Tensor, " atoms"] | None = None,
    ) -> Features:
        """basis: at the distances of `geometry`. element: of the first layer, whose features are
        then those of the elements, [elements, 1, multiplicity].
        """
        table = geometry.table
        hidden = self.hidden(basis)
        near = hidden.index_select(0, table.pair.flatten()).view(*table.pair.shape, -1)
        sums: dict[int, Tensor] = {}
        for lo, li in self.orders:
            weight = self.weights[f"{lo}-{li}"]
            if element is not None:
                part = _by_element(features[0][:, 0], element, weight, near, geometry, lo)
            elif self.transformed(lo, li):
                part = _transform(features[li], weight, near, geometry, lo, li)
            else:
                part = _aggregate(features[li], weight, near, geometry, lo, li)
            part = part * self._scale(lo)
            sums[lo] = sums[lo] + part if lo in sums else part
        for order in range(min(len(self.inputs), len(self.outputs))):
            own = self._own(order, hidden[-1])
            if own is not None:
                here = features[order] @ own
                here = here if element is None else here.index_select(0, element)
                sums[order] = sums[order] + here
        return [sums[order] for order in range(len(self.outputs))]

    def _scale(self, lo: int) -> float:
        fan = sum(mi * len(filters(lo, li)) for li, mi in enumerate(self.inputs))
        return 1.0 / math.sqrt(fan)

    def _own(self, order: int, hidden: Float[Tensor, " hidden"]) -> Tensor | None:
        """The map [m_in, m_out] of an atom to itself: R(0)/sqrt(m_in) and the learned one.

        At r = 0 only the filter of order 0 is left, and Q^{l,l,0} Ybar^0 n is 1/sqrt(m_in).
        """
        scale = 1.0 / math.sqrt(self.inputs[order])
        own: Tensor | None = None
        if self.at_zero:
            weight = self.weights[f"{order}-{order}"][:, 0] @ hidden
            own = scale * (weight if self.transformed(order, order) else weight.T)
        if str(order) in self.linear:
            learned = scale * self.linear[str(order)]
            own = learned if own is None else own + learned
        return own


def _aggregate(
    features: Float[Tensor, "atoms components m_in"],
    weight: Float[Tensor, "m_out filters m_in hidden"],
    near: Float[Tensor, "atoms slots hidden"],
    geometry: Geometry,
    lo: int,
    li: int,
) -> Float[Tensor, "atoms components m_out"]:
    """Sums neighbours first, then applies the weights."""
    atoms, slots, _ = near.shape
    source = features.index_select(0, geometry.table.partner.flatten())
    source = source.view(atoms, slots, *features.shape[1:])
    coupled = geometry.coupling(lo, li, transform=False)
    turned = coupled * source if li == 0 else coupled @ source
    summed = turned.flatten(2).transpose(1, 2) @ near
    out = summed.reshape(atoms * (2 * lo + 1), -1) @ weight.flatten(1).T
    return out.view(atoms, 2 * lo + 1, -1)


def _transform(
    features: Float[Tensor, "atoms components m_in"],
    weight: Float[Tensor, "m_in filters m_out hidden"],
    near: Float[Tensor, "atoms slots hidden"],
    geometry: Geometry,
    lo: int,
    li: int,
) -> Float[Tensor, "atoms components m_out"]:
    """Applies the weights first, then sums neighbours; `near` is the same from both ends."""
    atoms, slots, hidden = near.shape
    width = weight.shape[2]
    grown = (features.flatten(0, 1) @ weight.flatten(1)).view(atoms, -1, hidden)
    sent = near @ grown.transpose(1, 2)
    received = sent.view(atoms * slots, -1).index_select(0, geometry.table.back.flatten())
    return geometry.coupling(lo, li, transform=True) @ received.view(atoms, -1, width)


def _by_element(
    features: Float[Tensor, "elements m_in"],
    element: Int[Tensor, " atoms"],
    weight: Float[Tensor, "m_in 1 m_out hidden"],
    near: Float[Tensor, "atoms slots hidden"],
    geometry: Geometry,
    lo: int,
) -> Float[Tensor, "atoms components m_out"]:
    """`_aggregate` for scalars that depend on the element alone: sums over atoms of an element."""
    marks = torch.eye(len(features), dtype=near.dtype, device=near.device)
    partners = marks.index_select(0, element).index_select(0, geometry.table.partner.flatten())
    coupled = geometry.coupling(lo, 0, transform=False)
    turned = coupled * partners.view(*near.shape[:2], 1, -1)
    summed = turned.flatten(2).transpose(1, 2) @ near
    mixed = (features @ weight.flatten(1)).view(len(features), *weight.shape[2:])
    out = summed.reshape(len(near) * (2 * lo + 1), -1) @ mixed.transpose(1, 2).flatten(0, 1)
    return out.view(len(near), 2 * lo + 1, -1)
