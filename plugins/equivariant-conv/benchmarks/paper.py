"""The paper's network, forward and backward, beside its published dense formulation.

The dense one works on boxes padded to 19 atoms: the radial network gives the weights of all pairs
of a box, [boxes, 19, 19, paths], and every pair of orders is an `einsum` of five operands (mask and
normalisation, weights, Clebsch-Gordan coefficients, harmonics, features). Both have the same
weights and are compared before they are timed. `python benchmarks/paper.py [--json] [--repeats N]`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner.benchmark import Row, compare, main
from intertwiner.fields import GRAPH, Field, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner_equivariant_conv.layers.coupling import wigner_3j
from intertwiner_equivariant_conv.layers.spherical_harmonics import spherical_harmonics
from intertwiner_equivariant_conv.paper.config import HIDDEN_SCALE, PRESETS, PaperConfig
from intertwiner_equivariant_conv.paper.convolution import PaperConvolution
from intertwiner_equivariant_conv.paper.coupling import filters
from intertwiner_equivariant_conv.paper.gate import gate
from intertwiner_equivariant_conv.paper.network import PaperNetwork
from intertwiner_equivariant_conv.paper.radial import bessel, softplus
from intertwiner_equivariant_conv.paper.weights import to_published

REQUIRED = {"paper-l0": 10.0, "paper-l1": 8.0, "paper-l2": 4.0}
SPECIES = (1, 6, 7, 8, 9)
SIZES = (18, 17, 19, 18)
BOX = 19


def measure(repeats: int) -> Iterator[Row]:
    """Rows for every order and batches of 4 and 8 molecules."""
    for name in REQUIRED:
        for molecules in (4, 8):
            yield measure_case(name, molecules, repeats)


def measure_case(name: str, molecules: int, repeats: int) -> Row:
    batch, network = make_batch(molecules), make_network(name)
    dense = Dense(network)
    value, slope = errors(network, dense, batch)
    return compare(
        f"{name}, {molecules} molecules (errors {value:.0e}, {slope:.0e})",
        train(lambda: network(batch)["energy"], list(network.parameters())),
        train(lambda: dense(batch), dense.parameters()),
        against="dense einsum",
        repeats=repeats,
        required=REQUIRED[name],
    )


def train(run: Callable[[], Tensor], parameters: list[Tensor]) -> Callable[[], object]:
    """Forward and backward, to all parameters."""
    return lambda: torch.autograd.grad(run().square().sum(), parameters)


def make_network(name: str) -> PaperNetwork:
    torch.manual_seed(0)
    target = Field("energy", GRAPH, Scalar(), "eV")
    schema = Schema(structure=Structure.ATOMS, inputs=(), targets=(target,), species=SPECIES)
    return PaperNetwork(PaperConfig(**PRESETS[name]), schema)


def make_batch(molecules: int) -> Batch:
    """Molecules of the size, density and elements of QM9's, atoms on a jittered grid."""
    generator = torch.Generator().manual_seed(0)
    side = torch.arange(4.0) * 1.5
    grid = torch.cartesian_prod(side, side, side)
    shares = torch.tensor([0.51, 0.35, 0.06, 0.079, 0.001])
    records = []
    for number in range(molecules):
        atoms = SIZES[number % len(SIZES)]
        chosen = grid.square().sum(1).add(8 * torch.rand(64, generator=generator)).argsort()[:atoms]
        pos = grid[chosen] + 0.4 * (torch.rand(atoms, 3, generator=generator) - 0.5)
        kinds = torch.multinomial(shares, atoms, replacement=True, generator=generator)
        records.append(Data(pos=pos, z=torch.tensor(SPECIES)[kinds]))
    return Batch.from_data_list(records)


class Dense:
    """The published formulation of a network, with copies of its weights in the published order."""

    def __init__(self, network: PaperNetwork) -> None:
        self.network = network
        layers = [*network.gated, network.last]
        self.convolutions = [layer for layer in layers if isinstance(layer, PaperConvolution)]
        self.embedding = network.embedding.detach().clone().requires_grad_()
        self.hidden = [
            [weight.detach().clone().requires_grad_() for weight in layer.hidden.weights]
            for layer in self.convolutions
        ]
        self.last = [
            to_published(layer, sum(layer.outputs[1:])).requires_grad_()
            for layer in self.convolutions
        ]

    def parameters(self) -> list[Tensor]:
        return [self.embedding, *(w for layer in self.hidden for w in layer), *self.last]

    def __call__(self, batch: Batch) -> Tensor:
        boxes = len(batch.ptr) - 1
        slot = batch.batch * BOX + torch.arange(len(batch.pos)) - batch.ptr[batch.batch]
        pos = batch.pos.new_zeros(boxes * BOX, 3).index_copy(0, slot, batch.pos).view(boxes, BOX, 3)
        numbers = batch.z.new_zeros(boxes * BOX).index_copy(0, slot, batch.z).view(boxes, BOX)
        mask = (numbers > 0).to(pos.dtype)
        vector = pos.unsqueeze(1) - pos.unsqueeze(2)
        square = vector.square().sum(-1)
        own = square == 0
        distance = square.masked_fill(own, 1.0).sqrt()
        direction = (vector / distance.unsqueeze(-1)).view(-1, 3)
        harmonics = spherical_harmonics(direction, 2 * self.network.config.lmax)
        harmonics = harmonics.view(boxes, BOX, BOX, -1) * math.sqrt(0.25 / math.pi)
        ends = mask.unsqueeze(1) * mask.unsqueeze(2) * (~own).to(pos.dtype)
        basis = bessel(distance.masked_fill(own, 0.0).flatten(), 50, 10.0)
        scale = self.network.average_atoms.rsqrt()
        features = [self.embedding[numbers].unsqueeze(3)]
        for layer in range(len(self.convolutions)):
            scaled = [block * scale for block in features]
            weights = self.radial(layer, basis).view(boxes, BOX, BOX, -1)
            out = self.convolve(layer, scaled, weights, ends, harmonics)
            if layer == len(self.convolutions) - 1:
                break
            turned = gate([block.flatten(0, 1).transpose(1, 2) for block in out], self.scalars)
            turned = [
                block.transpose(1, 2).unflatten(0, (boxes, BOX)) * mask[..., None, None]
                for block in turned
            ]
            pairs = zip(features, turned, strict=False)
            features = [x + y for x, y in pairs] if layer else turned
        return (out[0].squeeze(-1).squeeze(-1) * mask).sum(1)

    @property
    def scalars(self) -> int:
        return self.network.config.multiplicities[0]

    def radial(self, layer: int, basis: Tensor) -> Tensor:
        """R of every pair of a box: [pairs, paths]."""
        value = basis
        for weight in self.hidden[layer]:
            value = _activate(value @ weight) / math.sqrt(weight.shape[1])
        return value @ self.last[layer].T

    def convolve(
        self, layer: int, features: list[Tensor], weights: Tensor, ends: Tensor, harmonics: Tensor
    ) -> list[Tensor]:
        """[boxes, atoms, multiplicity, components] of every order."""
        convolution = self.convolutions[layer]
        gates = sum(convolution.outputs[1:])
        sizes = [convolution.outputs[0] - gates, *convolution.outputs[1:]]
        blocks = list(enumerate(sizes)) + ([(0, gates)] if gates else [])
        start, found = 0, []
        for lo, mo in blocks:
            fan = sum(mi * len(filters(lo, li)) for li, mi in enumerate(convolution.inputs))
            total: Tensor | float = 0.0
            for li, mi in enumerate(convolution.inputs):
                orders = filters(lo, li)
                stop = start + mo * mi * len(orders)
                block = weights[..., start:stop].unflatten(-1, (mo, mi, len(orders)))
                norm = ends * math.sqrt(4 * math.pi * (2 * li + 1) / fan)
                for number, order in enumerate(orders):
                    rows = slice(order**2, (order + 1) ** 2)
                    operands = (block[..., number], wigner_3j(lo, li, order).to(weights.dtype))
                    total = total + torch.einsum(
                        "zab,zabuv,ijk,zabk,zbvj->zaui",
                        norm,
                        *operands,
                        harmonics[..., rows],
                        features[li],
                    )
                start = stop
            found.append(total)
        if gates:
            found[0] = torch.cat([found[0], found.pop()], 2)
        return found


def _activate(x: Tensor) -> Tensor:
    return HIDDEN_SCALE * (softplus(x) - math.log(2.0) / 5.0)


def errors(network: PaperNetwork, dense: Dense, batch: Batch) -> tuple[float, float]:
    """Largest differences of values and of gradients, relative to the largest of each."""
    ours, theirs = network(batch)["energy"], dense(batch)
    value = float((ours - theirs).detach().abs().max() / theirs.detach().abs().max())
    found = torch.autograd.grad(ours.square().sum(), network.embedding)[0]
    (expected,) = torch.autograd.grad(theirs.square().sum(), dense.embedding)
    return value, float((found - expected).abs().max() / expected.abs().max())


if __name__ == "__main__":
    main(__doc__ or "", measure)
