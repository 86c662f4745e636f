"""The depthwise convolution: neighbours' features, coupled to the direction, weighed by distance.

    m[n, k_p, c] = sum_{e: target(e) = n} W[e, p, c]
                   sum_ij sqrt(2 l3 + 1) Q^{l1 l2 l3}_{ijk} x[source(e), i, c] Y[e, j]
    h_l = ( concat_{p: l3(p) = l} m_p Lin_l / sqrt(average neighbours) + x_l Self_l ) / sqrt(2)

The kernel (a learned function of distance times a harmonic of direction) is that of arXiv
2008.08461; "depthwise" means that every channel has its own weights and channels mix in Lin only.
W is a function of the distance alone: exact, or interpolated in a table (`layers.radial_table`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intertwiner_equivariant_conv.errors import InvalidInput, InvalidSetting
from intertwiner_equivariant_conv.kernels import tensor_product_scatter
from intertwiner_equivariant_conv.kernels.table import compiled, table_product_scatter
from intertwiner_equivariant_conv.layers.paths import PathTable, infer_paths, path_table
from intertwiner_equivariant_conv.layers.radial import RadialNetwork
from intertwiner_equivariant_conv.layers.radial_table import EdgeDistances, Placement, build_table
from intertwiner_equivariant_conv.layers.table_guard import DEGREE, TableGuard, weights_mark

__all__ = ["DepthwiseConvolution", "Radial"]

Radial = Literal["auto", "exact", "table"]


class DepthwiseConvolution(nn.Module):
    """One convolution on features `[nodes, (lmax+1)^2, channels]`, order l at rows l^2 ... l^2+2l.

    lmax: largest order of features and harmonics.
    radial_basis, radial_hidden: input and hidden widths of the radial network.
    extra_scalars: rows of further invariants appended to the output, for a gate.
    parity: natural parity only, see `path_table`.
    lmax_in: largest order that is not zero in the input; by default `lmax`.
    orders_out: the orders wanted of the output, with 0; by default all up to `lmax`.
    radial: "exact" evaluates the radial network on every edge. "table" interpolates it, with an
        error within the bounds of `TableGuard`, and needs `EdgeDistances` in place of the basis.
        "auto" takes the table where its compiled kernel serves: for float32 on a CPU with a
        compiler, and `EdgeDistances`. The choice does not depend on the batch.
    average_neighbors: a buffer, mean number of neighbours in the training set.

    Weights that could not matter, for what is zero or not wanted, do not exist.
    """

    average_neighbors: Tensor

    def __init__(
        self,
        lmax: int,
        channels: int,
        *,
        radial_basis: int = 8,
        radial_hidden: Sequence[int] = (64, 64),
        extra_scalars: int = 0,
        parity: bool = True,
        lmax_in: int | None = None,
        orders_out: Sequence[int] | None = None,
        radial: Radial = "exact",
    ) -> None:
        super().__init__()
        self.lmax, self.channels, self.extra_scalars = lmax, channels, extra_scalars
        self.lmax_in = lmax if lmax_in is None else lmax_in
        self.orders_out = tuple(range(lmax + 1)) if orders_out is None else tuple(orders_out)
        paths = path_table(self.lmax_in, lmax, parity, max(self.orders_out))
        self.paths = paths
        _check_unmistakable(paths, channels)
        self.radial = RadialNetwork(radial_basis, radial_hidden, len(paths) * channels)
        self.radial_choice: Radial = radial
        self._kept: tuple[tuple[int, ...], Tensor] | None = None
        self.guard = None if radial == "exact" else TableGuard()
        self.mix = nn.ParameterDict()
        self.self_mix = nn.ParameterDict()
        for order in self.orders_out:
            width = channels * (1 + extra_scalars if order == 0 else 1)
            fan_in = channels * len(paths.ending_in(order))
            self.mix[str(order)] = nn.Parameter(torch.randn(fan_in, width) * fan_in**-0.5)
            if order <= self.lmax_in:
                own = torch.randn(channels, width) * channels**-0.5
                self.self_mix[str(order)] = nn.Parameter(own)
            rows = _rows_ending_in(paths, order)
            self.register_buffer(f"rows_{order}", rows, persistent=False)
        self.register_buffer("average_neighbors", torch.ones(()))

    def forward(
        self,
        features: Float[Tensor, "nodes rows channels"],
        harmonics: Float[Tensor, "edges rows"],
        basis: Float[Tensor, "edges radial_basis"] | EdgeDistances,
        source: Int[Tensor, " edges"],
        target: Int[Tensor, " edges"],
        *,
        validate: bool = True,
    ) -> Float[Tensor, "nodes rows_out+extra_scalars channels"]:
        """Edges sorted by `target`; harmonics of the unit vectors from target to source.

        validate: check the edges (a pass over them); switch off where they are known to be right.
        Raises `InvalidInput` for shapes or edges that do not fit.
        """
        self._check(features)
        used = features[:, : (self.lmax_in + 1) ** 2]
        messages = self._messages(used, harmonics, basis, source, target, validate)
        parts = [self._mix(order, features, messages) for order in self.orders_out]
        if not self.extra_scalars:
            return torch.cat(parts, 1)
        scalars = parts[0].view(len(features), 1 + self.extra_scalars, self.channels)
        return torch.cat([scalars[:, :1], *parts[1:], scalars[:, 1:]], 1)

    def _messages(
        self,
        features: Tensor,
        harmonics: Tensor,
        basis: Tensor | EdgeDistances,
        source: Tensor,
        target: Tensor,
        validate: bool,
    ) -> Float[Tensor, "nodes rows_out channels"]:
        ends = (source, target, len(features))
        knots = self._knots(features, basis)
        if knots and isinstance(basis, EdgeDistances):
            placed = basis.placed(knots, DEGREE)
            table = self._table(basis, placed)
            return table_product_scatter(
                features, harmonics, placed.powers, table, placed.row, *ends, validate=validate
            )
        values = basis.values() if isinstance(basis, EdgeDistances) else basis
        return tensor_product_scatter(
            features, harmonics, self.radial(values), *ends, validate=validate
        )

    def _table(self, edges: EdgeDistances, placed: Placement) -> Tensor:
        """The table for these edges; in evaluation that of before, while weights are the same."""
        if self.training or not edges.keep:
            return build_table(self.radial, edges.basis, placed.knots, DEGREE, placed.occupied)
        mark = (placed.knots, *weights_mark(self.radial, edges.basis))
        if self._kept is None or self._kept[0] != mark:
            with torch.inference_mode(mode=False), torch.no_grad():
                table = build_table(self.radial, edges.basis, placed.knots, DEGREE)
            self._kept = mark, table
        return self._kept[1]

    def _knots(self, features: Tensor, basis: Tensor | EdgeDistances) -> int:
        """Knots of the table to use; 0 for the exact network."""
        if self.guard is None:
            return 0
        if not isinstance(basis, EdgeDistances):
            if self.radial_choice == "auto":
                return 0
            raise InvalidInput("a table needs distances: pass `EdgeDistances` instead of a basis")
        if self.radial_choice == "auto" and not self._compiled(features):
            return 0
        return int(self.guard(self.radial, basis.basis))

    def _compiled(self, features: Tensor) -> bool:
        """Whether the compiled kernel of tables serves these features."""
        if features.device.type != "cpu" or features.dtype != torch.float32:
            return False
        return compiled.load_library(self.paths, features.dtype, DEGREE) is not None

    @torch.no_grad()
    def set_neighbors(self, average: float) -> None:
        """Sets the mean number of neighbours, at least 1, by which messages are scaled."""
        self.average_neighbors.fill_(max(1.0, average))

    def _mix(self, order: int, features: Tensor, messages: Tensor) -> Tensor:
        """Output of one order, `[nodes, 2 order + 1, width]`."""
        mix = self.mix[str(order)]
        rows = getattr(self, f"rows_{order}")
        chosen = messages.index_select(1, rows)
        chosen = chosen.view(len(messages), 2 * order + 1, len(mix))
        summed = chosen @ (mix * (2.0 * self.average_neighbors).rsqrt())
        if order > self.lmax_in:
            return summed
        own = features[:, order**2 : (order + 1) ** 2] @ self.self_mix[str(order)]
        return summed + own * math.sqrt(0.5)

    def _check(self, features: Tensor) -> None:
        expected = ((self.lmax + 1) ** 2, self.channels)
        if features.ndim != 3 or features.shape[1:] != expected:
            raise InvalidInput(
                f"features {list(features.shape)}: expected [nodes, {expected[0]}, {expected[1]}] "
                f"for lmax {self.lmax} and {self.channels} channels"
            )


def _check_unmistakable(table: PathTable, channels: int) -> None:
    """The operation tells tables apart by their number of paths, which is nearly always enough."""
    shapes = (table.rows_in, table.rows_edge, channels, len(table) * channels)
    if infer_paths(*shapes).paths != table.paths:
        raise InvalidSetting(
            f"another table has as many paths as lmax_in {table.lmax_in}, lmax {table.lmax_edge} "
            "with these orders_out: ask for all orders, or leave lmax_in out"
        )


def _rows_ending_in(table: PathTable, order: int) -> Int[Tensor, " rows"]:
    """Output rows of the paths ending in `order`: component by component, path by path."""
    paths = table.ending_in(order)
    rows = [path.offset + component for component in range(2 * order + 1) for path in paths]
    return torch.tensor(rows, dtype=torch.long)
