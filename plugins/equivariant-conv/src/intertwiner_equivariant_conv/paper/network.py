"""The paper's network: embedding, gated convolutions over all pairs, sums of atomic scalars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.schema import Schema
from intertwiner_equivariant_conv.calibration import Labels
from intertwiner_equivariant_conv.errors import InvalidInput, InvalidSetting, WrongType
from intertwiner_equivariant_conv.layers.atoms import Atoms, Elements
from intertwiner_equivariant_conv.paper.config import PUBLISHED_MAX_Z, PaperConfig
from intertwiner_equivariant_conv.paper.convolution import PaperConvolution
from intertwiner_equivariant_conv.paper.gate import gate
from intertwiner_equivariant_conv.paper.pairs import Geometry, Table, measure, tiles
from intertwiner_equivariant_conv.paper.presets import gated
from intertwiner_equivariant_conv.paper.radial import BASES
from intertwiner_equivariant_conv.paper.readout import Property, build_properties, dense_head

__all__ = ["MLP_SCALARS", "PaperNetwork", "build_network"]

TILE_ATOMS = 320
"""Atoms worked through at once: enough to use every weight that is read often, and without
gradients the bound of the memory (100 MB for the published widths)."""

MLP_SCALARS = 128
"""Scalars that the "mlp" read-out starts from."""


class PaperNetwork(nn.Module):
    """Molecules -> one scalar of the molecule for every target of `schema`.

    Equivariant to rotations, translations and renumbering of atoms, and for lmax 0 to reflections;
    a molecule's result does not depend on the others of its batch (nothing is padded).

    The radial functions of all pairs are never formed, see `PaperConvolution`. With the published
    widths of lmax 0 / 1 / 2 a molecule of 18 atoms takes 149 / 144 / 163 million multiply-adds
    forward, all in matrix products; to form them on boxes padded to 19 takes 3,030 / 2,000 / 1,430.
    Forward and backward (4 molecules, one core) reach 49 / 39 / 31 % of the rate of one large
    product: what is left is in narrow products, K = 18 neighbours or few channels.
    """

    def __init__(self, config: PaperConfig, schema: Schema) -> None:
        super().__init__()
        self.config, self.schema = config, schema
        self.elements = Elements(schema.species)
        largest = max(PUBLISHED_MAX_Z, *schema.species) if config.max_z is None else config.max_z
        if max(schema.species) > largest:
            raise InvalidSetting(
                f"atomic number {max(schema.species)} needs max_z of at least as much; "
                f"it is {largest}"
            )
        self.names = [field.name for field in schema.targets]
        self.properties = build_properties(config, schema.targets, len(self.elements))
        self.embedding = nn.Parameter(torch.randn(largest + 1, config.embed))
        with torch.no_grad():
            self.embedding[0] = 0.0
        self.register_buffer("average_atoms", torch.tensor(18.0))
        self.gated, self.last = _convolutions(config, len(self.names))
        mlp = config.readout == "mlp"
        self.head = dense_head(MLP_SCALARS, config.readout_hidden, len(self.names)) if mlp else None

    average_atoms: Tensor

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """`batch.pos` in angstrom, `batch.z`, `batch.batch`, `batch.ptr`.

        Raises `WrongType` and `InvalidInput` (both `DataError`) for atoms that cannot be.
        """
        atoms = self._atoms(batch)
        values = self._values(atoms, batch.ptr.diff().tolist(), batch.ptr)
        columns = values.unbind(1)
        return {
            name: self.properties[name](column, atoms)
            for name, column in zip(self.names, columns, strict=True)
        }

    def _values(
        self, atoms: Atoms, sizes: Sequence[int], ptr: Tensor
    ) -> Float[Tensor, "atoms targets"]:
        """The number of every atom for every target, tile by tile."""
        found, order = [atoms.pos.new_zeros(0, len(self.names))], [atoms.graph[:0]]
        for tile in tiles(sizes, TILE_ATOMS):
            chosen = torch.tensor(tile, device=ptr.device)
            rows = _rows(ptr[chosen], ptr[chosen + 1])
            table = Table.of([sizes[molecule] for molecule in tile], ptr.device)
            geometry = measure(atoms.pos.index_select(0, rows), table, 2 * self.config.lmax)
            found.append(self._tile(atoms.element.index_select(0, rows), geometry))
            order.append(rows)
        back = torch.cat(order).argsort()
        return torch.cat(found).index_select(0, back)

    def _tile(self, element: Tensor, geometry: Geometry) -> Float[Tensor, "atoms targets"]:
        config = self.config
        basis = BASES[config.radial](geometry.distance, config.radial_basis, config.cutoff)
        scale = self.average_atoms.rsqrt()
        species = torch.tensor(self.elements.species, device=element.device)
        features = [self.embedding.index_select(0, species).unsqueeze(1)]
        for layer, convolution in enumerate(self.gated):
            at = element if layer == 0 else None
            scaled = [block * scale for block in features]
            out = cast(PaperConvolution, convolution)(scaled, basis, geometry, at)
            turned = gate(out, _scalars(cast(PaperConvolution, convolution)))
            residual = 0 < layer < config.layers
            features = (
                [x + y for x, y in zip(features, turned, strict=True)] if residual else turned
            )
        if self.last is None:
            return cast(nn.Module, self.head)(features[0][:, 0])
        return self.last([block * scale for block in features], basis, geometry)[0][:, 0]

    def _atoms(self, batch: Batch) -> Atoms:
        if batch.pos.dtype != self.embedding.dtype:
            raise WrongType(
                f"positions are {batch.pos.dtype}, the network's parameters {self.embedding.dtype}"
            )
        finite = torch.isfinite(batch.pos).all(1)
        if not bool(finite.all()):
            atom = int((~finite).nonzero()[0])
            raise InvalidInput(f"atom {atom} has position {batch.pos[atom].tolist()}")
        if getattr(batch, "pbc", None) is not None and bool(batch.pbc.any()):
            raise InvalidInput("the paper's network takes molecules, not periodic structures")
        return Atoms(batch.pos, self.elements(batch.z), batch.batch, len(batch.ptr) - 1)

    @property
    def target_spreads(self) -> dict[str, float]:
        """For every target what its mean and references leave, in which its loss is measured."""
        return {name: float(cast(Property, self.properties[name]).spread) for name in self.names}

    @torch.no_grad()
    def prepare(self, batches: Iterable[Batch]) -> None:
        """Sets mean, sigma, references and the average number of atoms from all training batches.

        Raises `InvalidInput` when a target has no label at all.
        """
        compositions: list[Tensor] = []
        values: dict[str, list[Tensor]] = {name: [] for name in self.names}
        for batch in batches:
            compositions.append(self._atoms(batch).composition(len(self.elements)).double().cpu())
            for name, found in values.items():
                found.append(batch[name].reshape(-1, 1).double().cpu())
        if not compositions:
            return
        composition = torch.cat(compositions)
        counts = composition.sum(1)
        self.average_atoms.fill_(max(1.0, float(counts.mean())))
        for name, found in values.items():
            labels = Labels(name, torch.cat(found), composition, counts)
            cast(Property, self.properties[name]).calibrate(labels)


def build_network(config: PaperConfig, schema: Schema) -> PaperNetwork:
    """The network for the targets of `schema`."""
    return PaperNetwork(config, schema)


def _convolutions(
    config: PaperConfig, targets: int
) -> tuple[nn.ModuleList, PaperConvolution | None]:
    """(gated convolutions, the one to the targets)."""
    blocks = config.multiplicities
    outputs = [blocks] * config.layers
    if config.readout == "mlp":
        outputs += [blocks] * (config.readout_layers - 1) + [(MLP_SCALARS,)]
    inputs = [(config.embed,), *outputs[:-1]]
    convolutions = nn.ModuleList(
        _convolution(config, ins, gated(outs), first=layer == 0)
        for layer, (ins, outs) in enumerate(zip(inputs, outputs, strict=True))
    )
    last = _convolution(config, blocks, (targets,)) if config.readout == "conv" else None
    return convolutions, last


def _convolution(
    config: PaperConfig, inputs: Sequence[int], outputs: Sequence[int], *, first: bool = False
) -> PaperConvolution:
    return PaperConvolution(
        inputs,
        outputs,
        radial=(config.radial_basis, config.radial_hidden, config.radial_layers),
        first=first,
        at_zero=config.radial != "bessel",
        linear=config.self_interaction == "linear",
    )


def _scalars(convolution: PaperConvolution) -> int:
    """Scalars of a gated convolution that are not gates."""
    return convolution.outputs[0] - sum(convolution.outputs[1:])


def _rows(start: Tensor, end: Tensor) -> Tensor:
    """The numbers from each start to its end, one range after the other."""
    sizes = end - start
    first = (start - (sizes.cumsum(0) - sizes)).repeat_interleave(sizes)
    return first + torch.arange(len(first), device=start.device)
