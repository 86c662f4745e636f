"""The atomic convolution as a model of complexes: dG from the positions and elements alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.fields import GRAPH
from intertwiner.schema import Schema
from intertwiner_atomic_conv.config import AtomicConvConfig
from intertwiner_atomic_conv.errors import InvalidInput, InvalidSetting
from intertwiner_atomic_conv.graphs.blocks import BlockedGraph, Interface, as_blocks, join_blocks
from intertwiner_atomic_conv.graphs.cache import GraphCache
from intertwiner_atomic_conv.graphs.interface import Numbers, Points, Reach, interface_graph
from intertwiner_atomic_conv.layers.atom_types import AtomTypes
from intertwiner_atomic_conv.layers.convolution import AtomicConvolution
from intertwiner_atomic_conv.layers.naive import naive_energy
from intertwiner_atomic_conv.layers.networks import AtomicNetworks
from intertwiner_atomic_conv.layers.radial import RadialFilters

__all__ = ["AtomicConvNetwork", "build_network"]

HYDROGEN = 1
SMALLEST_SCALE = 0.01


class AtomicConvNetwork(nn.Module):
    """Complexes -> dG = G(complex) - sum of G(part), for every target of `schema`.

    Invariant to rotations, reflections, translations and the numbering of atoms; a complex has
    the same result in every batch. The interaction is exactly 0 where parts do not see each
    other; `offset`, where there is one, is the same for all complexes.
    """

    def __init__(self, config: AtomicConvConfig, schema: Schema) -> None:
        super().__init__()
        _check(config)
        self.config, self.schema = config, schema
        self.types = AtomTypes(config.types, other=config.other)
        self.reach = Reach(config.graph, config.neighbors, config.reach, config.reach_within)
        self.widths = [field.rep.width for field in schema.targets]
        grid = config.cutoffs, config.centres, config.exponents
        filters = RadialFilters(*grid, config.reach, frozen=config.freeze_radial)
        buckets = len(self.types)
        networks = AtomicNetworks(
            1 if config.one_network else buckets,
            buckets * len(filters),
            config.hidden,
            sum(self.widths),
            dropout=config.dropout,
            skip=config.skip,
            masks=config.masks,
        )
        self.convolution = AtomicConvolution(filters, networks, buckets, self.reach.limits)
        self.offset = nn.Parameter(torch.zeros(sum(self.widths))) if config.offset else None
        self.graphs = GraphCache(self._graph)
        self.register_load_state_dict_pre_hook(_check_state)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """`batch.pos` in angstrom, `batch.z`, `batch.part`, `batch.ptr`.

        Raises `InvalidInput` for positions that are not finite and elements that do not exist.
        """
        interaction = self.interaction(batch)
        total = interaction if self.offset is None else interaction + self.offset
        columns = total.split(self.widths, 1)
        return {
            field.name: column.squeeze(1) if column.shape[1] == 1 else column
            for field, column in zip(self.schema.targets, columns, strict=True)
        }

    def interaction(self, batch: Batch) -> Float[Tensor, "complexes outputs"]:
        """dG without the offset."""
        if self.training:
            self.convolution.filters.project()
        if self.config.order == "naive":
            return self._naive(batch)
        pos = batch.pos if batch.pos.requires_grad else None
        energy: Tensor = self.convolution(self.interface(batch), pos)
        return energy

    def interface(self, batch: Batch) -> Interface:
        """The changed atoms of a batch and their edges, on the batch's device."""
        bounds = batch.ptr.tolist()
        sizes = [stop - first for first, stop in pairwise(bounds)]
        x, z, part = (batch[name].detach().cpu().numpy() for name in ("pos", "z", "part"))
        graphs = [self.graphs.get(x[a:b], z[a:b], part[a:b]) for a, b in pairwise(bounds)]
        own, other = self.reach.limits
        joined = join_blocks(
            graphs,
            sizes,
            len(self.types),
            one_network=self.config.one_network,
            two_reaches=own != other,
        )
        return _to_device(joined, batch.pos.device)

    def atom_contributions(self, batch: Batch) -> Float[Tensor, "atoms outputs"]:
        """What binding changes in every atom's energy; sums to `interaction`."""
        interface = self.interface(batch)
        energy = self.convolution.atom_energies(interface)
        return energy.new_zeros(len(batch.pos), energy.shape[1]).index_add(
            0, interface.atom, energy
        )

    def _graph(self, x: Points, z: Numbers, part: Numbers) -> BlockedGraph:
        kept = self._kept(z)
        graph = interface_graph(x[kept], z[kept], part[kept], self.reach)
        blocks = as_blocks(graph, z[kept], self.types)
        return _renumbered(blocks, kept)

    def _kept(self, z: Numbers) -> Numbers:
        if self.config.hydrogens == "strip":
            return np.flatnonzero(z != HYDROGEN)
        return np.arange(len(z))

    def _naive(self, batch: Batch) -> Float[Tensor, "complexes outputs"]:
        rows = []
        for first, stop in pairwise(batch.ptr.tolist()):
            z = batch.z[first:stop]
            kept = torch.from_numpy(self._kept(z.cpu().numpy())).to(z.device)
            pos, part = batch.pos[first:stop][kept], batch.part[first:stop][kept]
            bucket = torch.from_numpy(self.types(z[kept].cpu().numpy())).to(z.device)
            rows.append(naive_energy(self.convolution, pos, z[kept], bucket, part, self.reach))
        return torch.stack(rows)

    @torch.no_grad()
    def prepare(self, batches: Iterable[Batch]) -> None:
        """Sets the scale of features and the offset from all training batches."""
        squares = torch.zeros(len(self.types), len(self.convolution.filters), dtype=torch.float64)
        atoms, labels = 0, []
        for batch in batches:
            labels.append(self._labels(batch))
            if self.config.input_scale == "rms":
                found, count = self._squares(batch)
                squares, atoms = squares + found, atoms + count
        if self.config.input_scale == "rms" and atoms:
            rms = (squares / atoms).sqrt().clamp(min=SMALLEST_SCALE)
            self.convolution.scale.copy_(rms.reciprocal().flatten())
        if self.offset is not None and labels:
            mean = torch.cat(labels).nanmean(0)
            self.offset.copy_(mean.nan_to_num(0.0))

    def _labels(self, batch: Batch) -> Float[Tensor, "complexes outputs"]:
        columns = [
            batch[field.name].reshape(batch.num_graphs, -1).double().cpu()
            if field.name in batch
            else torch.full((batch.num_graphs, width), torch.nan, dtype=torch.float64)
            for field, width in zip(self.schema.targets, self.widths, strict=True)
        ]
        return torch.cat(columns, 1)

    def _squares(self, batch: Batch) -> tuple[Float[Tensor, "buckets filters"], int]:
        """Sum of squared features over changed atoms, bound and free, and how many there are."""
        interface = self.interface(batch)
        pooled = self.convolution.pooled(interface).double()
        nodes, buckets = len(interface.atom), len(self.types)
        kind, node = interface.row // max(nodes, 1), interface.row % max(nodes, 1)
        present, place = torch.unique(node * buckets + interface.bucket, return_inverse=True)
        sums = pooled.new_zeros(3, len(present), pooled.shape[1])
        sums.view(-1, pooled.shape[1]).index_add_(0, kind * len(present) + place, pooled)
        common, cross, displaced = sums
        square = (common + cross).square() + (common + displaced).square()
        found = square.new_zeros(buckets, pooled.shape[1])
        return found.index_add(0, present % buckets, square).cpu(), 2 * nodes


def _check_state(network: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: object) -> None:
    """Raises `InvalidSetting` for the weights of another preset."""
    own, place = network.state_dict(), "convolution.filters.centre"
    seen, scale = state.get(prefix + place), state.get(prefix + "convolution.scale")
    if seen is None or scale is None or scale.shape == own["convolution.scale"].shape:
        return
    filters = len(own[place])
    raise InvalidSetting(
        f"checkpoint has {len(seen)} filters x {len(scale) // max(len(seen), 1)} types, model "
        f"{filters} x {len(own['convolution.scale']) // filters}"
    )


def _renumbered(graph: BlockedGraph, kept: Numbers) -> BlockedGraph:
    return replace(graph, atom=kept[graph.atom], neighbor=kept[graph.neighbor])


def _to_device(interface: Interface, device: torch.device) -> Interface:
    if device.type == "cpu":
        return interface
    moved = {
        item.name: getattr(interface, item.name).to(device)
        for item in fields(interface)
        if isinstance(getattr(interface, item.name), Tensor)
    }
    return replace(interface, **moved)


def _check(config: AtomicConvConfig) -> None:
    """Raises `InvalidSetting` for settings that do not fit each other."""
    if config.hydrogens == "keep" and HYDROGEN not in config.types:
        raise InvalidSetting(
            "hydrogens='keep' but type list has no 1: hydrogens would fill neighbour slots unseen"
        )
    if config.masks == "independent" and config.order == "interface":
        raise InvalidSetting(
            "interface-only evaluation needs tied dropout (got 'independent'); use order='naive'"
        )


def build_network(config: AtomicConvConfig, schema: Schema) -> AtomicConvNetwork:
    """The network for the targets of `schema`, which must be numbers per complex."""
    for field in schema.targets:
        if field.site != GRAPH:
            raise InvalidInput(f"target {field}: only numbers per complex can be learned")
    return AtomicConvNetwork(config, schema)
