"""The depthwise network: embedding, gated convolutions, and a read-out for every target."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.schema import Schema
from intertwiner_equivariant_conv.calibration import Labels
from intertwiner_equivariant_conv.config import DepthwiseConfig
from intertwiner_equivariant_conv.errors import WrongType
from intertwiner_equivariant_conv.layers.atoms import Atoms, Elements, Pairs, find_pairs
from intertwiner_equivariant_conv.layers.convolution import DepthwiseConvolution
from intertwiner_equivariant_conv.layers.gate import Gate
from intertwiner_equivariant_conv.layers.radial import RadialBasis
from intertwiner_equivariant_conv.layers.radial_table import EdgeDistances
from intertwiner_equivariant_conv.layers.readout import Readout
from intertwiner_equivariant_conv.layers.spherical_harmonics import spherical_harmonics
from intertwiner_equivariant_conv.loss import energy_force_loss
from intertwiner_equivariant_conv.targets import ENERGY, FORCES, build_readouts

__all__ = ["DepthwiseNetwork", "EnergyForceNetwork", "build_network"]


class DepthwiseNetwork(nn.Module):
    """Molecules -> one tensor for every target of `schema`.

    Equivariant to rotations, reflections (with `config.parity`), translations and renumbering of
    atoms; a molecule's result does not depend on the others of its batch. Sizes: x of N atoms is
    `[N, (lmax+1)^2, channels]`. Layers from the second on are residual: x <- (x + gated)/sqrt(2).
    Edges: pairs of one molecule nearer than the cutoff (arXiv 2008.08461 takes all pairs).
    """

    def __init__(self, config: DepthwiseConfig, schema: Schema) -> None:
        super().__init__()
        self.config = config
        self.schema = schema
        self.elements = Elements(schema.species)
        self.embedding = nn.Parameter(torch.randn(len(schema.species), config.channels))
        self.basis = RadialBasis(config.radial_basis, config.cutoff)
        self.readouts = build_readouts(config, schema)
        read = {order for item in self.readouts.values() for order in cast(Readout, item).orders}
        every = tuple(range(config.lmax + 1))
        orders = [every] * (config.layers - 1) + [tuple(sorted({0, *read}))]
        self.convolutions = nn.ModuleList(
            _convolution(config, out, first=layer == 0) for layer, out in enumerate(orders)
        )
        self.gates = nn.ModuleList(Gate(out) for out in orders)
        self.names = [field.name for field in schema.targets]

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """`batch.pos` in angstrom, `batch.z`, `batch.batch`, `batch.ptr`; maybe `cell`, `pbc`.

        Raises `WrongType` and `InvalidInput` (both `DataError`) for atoms that cannot be.
        """
        if FORCES not in self.names:
            return self._read(batch, batch.pos, self.names, keep=not torch.is_grad_enabled())
        differentiable = torch.is_grad_enabled()
        with torch.enable_grad():
            pos = batch.pos if batch.pos.requires_grad else batch.pos.detach().requires_grad_()
            outputs = self._read(batch, pos, [ENERGY, *self.names], keep=not differentiable)
            energy = outputs[ENERGY].sum()
            (slope,) = torch.autograd.grad(energy, pos, create_graph=differentiable)
        outputs[FORCES] = -slope
        kept = {name: outputs[name] for name in self.names}
        return kept if differentiable else {name: value.detach() for name, value in kept.items()}

    def _read(
        self, batch: Batch, pos: Tensor, names: Iterable[str], *, keep: bool
    ) -> dict[str, Tensor]:
        atoms = self._atoms(batch, pos)
        pairs = find_pairs(batch, pos, self.config.cutoff)
        features = self.features(atoms, pairs, keep=keep)
        return {
            name: self.readouts[name](features, atoms) for name in names if name in self.readouts
        }

    def features(
        self, atoms: Atoms, pairs: Pairs, *, keep: bool = False
    ) -> Float[Tensor, "atoms rows channels"]:
        """The features of the last layer. keep: no gradient of weights is wanted."""
        lmax = self.config.lmax
        harmonics = spherical_harmonics(pairs.direction, lmax)
        basis = EdgeDistances(self.basis, pairs.distance, keep)
        ends = pairs.source, pairs.target
        scalars = self.embedding.index_select(0, atoms.element).unsqueeze(1)
        x = nn.functional.pad(scalars, (0, 0, 0, (lmax + 1) ** 2 - 1))
        for layer, (convolution, gate) in enumerate(
            zip(self.convolutions, self.gates, strict=True)
        ):
            gated = gate(convolution(x, harmonics, basis, *ends, validate=False))
            orders = cast(DepthwiseConvolution, convolution).orders_out
            if layer:
                gated = (_take_orders(x, orders) + gated) * math.sqrt(0.5)
            x = _place_orders(gated, orders, lmax)
        return x

    def _atoms(self, batch: Batch, pos: Tensor) -> Atoms:
        if pos.dtype != self.embedding.dtype:
            raise WrongType(
                f"positions are {pos.dtype}, the network's parameters {self.embedding.dtype}"
            )
        return Atoms(pos, self.elements(batch.z), batch.batch, len(batch.ptr) - 1)

    @property
    def target_spreads(self) -> dict[str, float]:
        """For every target the error of its best offset alone, in which its loss is measured."""
        return {
            name: float(cast(Readout, self.readouts[name]).spread)
            for name in self.names
            if name in self.readouts
        }

    @torch.no_grad()
    def prepare(self, batches: Iterable[Batch]) -> None:
        """Sets neighbours, basis scale, units and offsets from all training batches.

        Raises `InvalidInput` when a target has no label at all.
        """
        edges, atoms_seen, square = 0, 0, 0.0
        rows: dict[str, list[tuple[Tensor, Tensor, Tensor]]] = {name: [] for name in self.readouts}
        self.basis.set_scale(1.0)
        for batch in batches:
            atoms = self._atoms(batch, batch.pos)
            pairs = find_pairs(batch, batch.pos, self.config.cutoff)
            edges, atoms_seen = edges + len(pairs.source), atoms_seen + len(atoms.pos)
            values: Tensor = self.basis(pairs.distance)
            square += float(values.double().square().sum())
            for name, found in rows.items():
                if name in batch:
                    found.append(_label_rows(batch[name], atoms, len(self.elements)))
        for convolution in self.convolutions:
            cast(DepthwiseConvolution, convolution).set_neighbors(edges / max(1, atoms_seen))
        self.basis.set_scale(square / max(1, edges * self.config.radial_basis))
        for name, found in rows.items():
            if found:
                columns = [torch.cat(column) for column in zip(*found, strict=True)]
                cast(Readout, self.readouts[name]).calibrate(Labels(name, *columns))


class EnergyForceNetwork(DepthwiseNetwork):
    """The network when energy and forces, and nothing else, are learned."""

    def training_loss(
        self, batch: Batch, predictions: Mapping[str, Tensor] | None = None
    ) -> Float[Tensor, ""]:
        """w_E (dE/n)^2 + w_F |dF|^2/3n with the weights of the settings.

        predictions: what the network gives for the batch, where that is known already.
        """
        weights = (self.config.energy_weight, self.config.force_weight)
        outputs = self(batch) if predictions is None else predictions
        return energy_force_loss(outputs, batch, *weights)


def build_network(config: DepthwiseConfig, schema: Schema) -> DepthwiseNetwork:
    """The network for the targets of `schema`."""
    energy_and_forces = {field.name for field in schema.targets} == {ENERGY, FORCES}
    return (EnergyForceNetwork if energy_and_forces else DepthwiseNetwork)(config, schema)


def _take_orders(x: Tensor, orders: Sequence[int]) -> Tensor:
    """The rows of some orders of features that have all."""
    if (orders[-1] + 1) ** 2 == x.shape[1] and len(orders) == orders[-1] + 1:
        return x
    return torch.cat([x[:, order**2 : (order + 1) ** 2] for order in orders], 1)


def _place_orders(x: Tensor, orders: Sequence[int], lmax: int) -> Tensor:
    """Features of some orders among all up to `lmax`, the others zero."""
    if len(orders) == lmax + 1:
        return x
    blocks = dict(zip(orders, x.split([2 * order + 1 for order in orders], 1), strict=True))
    absent = x[:, :1].new_zeros(())
    parts = [
        blocks.get(order, absent.expand(len(x), 2 * order + 1, x.shape[2]))
        for order in range(lmax + 1)
    ]
    return torch.cat(parts, 1)


def _convolution(
    config: DepthwiseConfig, orders: Sequence[int], *, first: bool
) -> DepthwiseConvolution:
    return DepthwiseConvolution(
        config.lmax,
        config.channels,
        radial_basis=config.radial_basis,
        radial_hidden=config.radial_hidden,
        extra_scalars=len(orders) - 1,
        parity=config.parity,
        lmax_in=0 if first else None,
        orders_out=orders,
        radial=config.radial,
    )


def _label_rows(values: Tensor, atoms: Atoms, elements: int) -> tuple[Tensor, Tensor, Tensor]:
    """(values, composition, arms) of a batch, in double precision on the CPU, see `Labels`."""
    composition = atoms.composition(elements)
    arms = atoms.sum(atoms.centred().square().sum(1)).sqrt()
    if len(values) == len(atoms.pos) and len(values) != atoms.graphs:
        composition = nn.functional.one_hot(atoms.element, elements).to(values)
        arms = torch.zeros_like(atoms.pos[:, 0])
    table = values.reshape(len(values), -1)
    return table.double().cpu(), composition.double().cpu(), arms.double().cpu()
