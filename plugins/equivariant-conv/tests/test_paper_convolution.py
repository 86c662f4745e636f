"""The fast convolution against the published sum over pairs, and against e3nn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from e3nn import o3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from intertwiner_equivariant_conv.errors import InvalidInput
from intertwiner_equivariant_conv.paper.convolution import PaperConvolution, transforms
from intertwiner_equivariant_conv.paper.coupling import filters
from intertwiner_equivariant_conv.paper.pairs import Geometry, Table, measure
from intertwiner_equivariant_conv.paper.presets import count_paths, gated
from intertwiner_equivariant_conv.paper.radial import BASES
from intertwiner_equivariant_conv.paper.weights import from_published, to_published

pytestmark = pytest.mark.usefixtures("double_default")

Make = Callable[..., Any]
NUMBER, CUTOFF = 6, 10.0
SIZES = (4, 2, 1)
BLOCKS = {0: (5,), 1: (4, 3), 2: (4, 3, 2)}
WIDE = {1: (3, 40), 2: (2, 3, 40)}
"""So wide at the top that other orders are transformed before they are summed."""


def basis(kind: str, r: Tensor) -> Tensor:
    """b_1 ... b_6 of one distance."""
    if kind == "bessel":
        waves = [torch.sin(n * math.pi * r / CUTOFF) for n in range(1, NUMBER + 1)]
        return math.sqrt(2 / CUTOFF) * torch.stack(waves) / (r + 1e-8) * float(r <= CUTOFF)
    if kind == "cosine":
        step = CUTOFF / (NUMBER - 1)
        parts = [(r - k * step) / step for k in range(NUMBER)]
        return torch.stack([torch.cos(math.pi / 2 * x) ** 2 * float(abs(x) <= 1) for x in parts])
    centres = [k * CUTOFF / (NUMBER - 1) for k in range(NUMBER)]
    return torch.stack([torch.exp(-(NUMBER / CUTOFF) * (r - centre) ** 2) for centre in centres])


def hidden(convolution: PaperConvolution, values: Tensor) -> Tensor:
    """z2 / sqrt(h), or as many layers as there are."""
    first, *rest = convolution.hidden.weights
    width = first.shape[1]
    z = activate(values @ first)
    for weight in rest:
        z = activate(z @ weight / math.sqrt(width))
    return z / math.sqrt(width)


def activate(x: Tensor) -> Tensor:
    return 1.5643071626114733 * (torch.log1p(torch.exp(5 * x)) / 5 - math.log(2) / 5)


def harmonics(order: int, vector: Tensor, self_pair: bool) -> Tensor:
    if self_pair:
        value = math.sqrt(1 / (4 * math.pi)) if order == 0 else 0.0
        return torch.full((2 * order + 1,), value, dtype=torch.float64)
    return o3.spherical_harmonics(order, vector, True, normalization="integral")


def literal(
    convolution: PaperConvolution,
    features: Sequence[Tensor],
    pos: Tensor,
    graph: Sequence[int],
    kind: str,
    gates: int,
    weights: Tensor | None = None,
) -> list[Tensor]:
    """out[a,u,i], by order of the output; features and result [atoms, 2l+1, multiplicity]."""
    weights = to_published(convolution, gates) if weights is None else weights
    sizes = list(enumerate([convolution.outputs[0] - gates, *convolution.outputs[1:]]))
    blocks = sizes + ([(0, gates)] if gates else [])
    found: list[list[Tensor]] = [[] for _ in blocks]
    for a in range(len(pos)):
        sums = [torch.zeros(2 * lo + 1, mo, dtype=torch.float64) for lo, mo in blocks]
        for b in range(len(pos)):
            if graph[a] == graph[b]:
                sums = [
                    total + part
                    for total, part in zip(
                        sums,
                        message(convolution, features, pos, a, b, kind, blocks, weights),
                        strict=True,
                    )
                ]
        for rows, total in zip(found, sums, strict=True):
            rows.append(total)
    stacked = [torch.stack(rows) for rows in found]
    if gates:
        stacked[0] = torch.cat([stacked[0], stacked.pop()], 2)
    return stacked


def message(
    convolution: PaperConvolution,
    features: Sequence[Tensor],
    pos: Tensor,
    a: int,
    b: int,
    kind: str,
    blocks: Sequence[tuple[int, int]],
    weights: Tensor,
) -> list[Tensor]:
    """What atom b sends to atom a, [2lo+1, m_out] for every block."""
    vector = pos[b] - pos[a]
    r = torch.zeros((), dtype=torch.float64) if a == b else vector.norm()
    radial = weights @ hidden(convolution, basis(kind, r))
    start, out = 0, []
    for lo, mo in blocks:
        total = torch.zeros(2 * lo + 1, mo, dtype=torch.float64)
        fan = sum(mi * (lo + li - abs(lo - li) + 1) for li, mi in enumerate(convolution.inputs))
        for li, mi in enumerate(convolution.inputs):
            orders = range(abs(lo - li), lo + li + 1)
            stop = start + mo * mi * len(orders)
            block = radial[start:stop].view(mo, mi, len(orders))
            n = math.sqrt(4 * math.pi * (2 * li + 1) / (mi if a == b else fan))
            for f, order in enumerate(orders):
                q = o3.wigner_3j(lo, li, order, dtype=torch.float64)
                y = harmonics(order, vector, a == b)
                turned = torch.einsum("uv,ijk,k,jv->iu", block[:, :, f], q, y, features[li][b])
                total = total + n * turned
            start = stop
        out.append(total)
    return out


def positions(make_molecule: Make, sizes: tuple[int, ...] = SIZES) -> Tensor:
    return torch.cat([make_molecule(size, seed=size).pos for size in sizes])


def graph_of(sizes: tuple[int, ...]) -> list[int]:
    return [number for number, size in enumerate(sizes) for _ in range(size)]


def make_convolution(
    inputs: tuple[int, ...], outputs: tuple[int, ...], kind: str = "bessel", **more: Any
) -> PaperConvolution:
    return PaperConvolution(
        inputs, outputs, radial=(NUMBER, 7, 2), at_zero=kind != "bessel", **more
    )


def random_features(blocks: tuple[int, ...], atoms: int) -> list[Tensor]:
    return [torch.randn(atoms, 2 * order + 1, m) for order, m in enumerate(blocks)]


def geometry_of(pos: Tensor, sizes: tuple[int, ...], lmax: int) -> Geometry:
    return measure(pos, Table.of(sizes, pos.device), 2 * lmax)


def run(
    convolution: PaperConvolution,
    features: list[Tensor],
    pos: Tensor,
    sizes: tuple[int, ...],
    kind: str,
) -> list[Tensor]:
    lmax = max(len(convolution.inputs), len(convolution.outputs)) - 1
    geometry = geometry_of(pos, sizes, lmax)
    return convolution(features, BASES[kind](geometry.distance, NUMBER, CUTOFF), geometry)


def assert_close(found: Tensor, expected: Tensor, tolerance: float = 1e-12) -> None:
    scale = float(expected.detach().abs().max()) or 1.0
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance * scale)


CASES = [
    *((blocks, gated(blocks)) for blocks in BLOCKS.values()),
    (BLOCKS[2], (2,)),
    (BLOCKS[1], gated(BLOCKS[2])),
    *((WIDE[lmax], BLOCKS[lmax]) for lmax in WIDE),
]


@pytest.mark.parametrize("kind", ["bessel", "cosine", "gaussian"])
@pytest.mark.parametrize(("inputs", "outputs"), CASES)
def test_convolution_is_the_published_sum(
    make_molecule: Make, inputs: tuple[int, ...], outputs: tuple[int, ...], kind: str
) -> None:
    convolution = make_convolution(inputs, outputs, kind)
    pos, features = positions(make_molecule), random_features(inputs, sum(SIZES))
    found = run(convolution, features, pos, SIZES, kind)
    gates = outputs[0] - inputs[0] if outputs == gated(inputs) else 0
    expected = literal(convolution, features, pos, graph_of(SIZES), kind, gates)
    for ours, theirs in zip(found, expected, strict=True):
        assert_close(ours, theirs)


def test_cases_take_both_ways() -> None:
    ways = {
        make_convolution(i, o).transformed(*pair)
        for i, o in CASES
        for pair in make_convolution(i, o).orders
    }
    assert ways == {True, False}
    assert transforms(1, 0, 21, 64)
    assert not transforms(0, 1, 85, 21)


@pytest.mark.parametrize("kind", ["bessel", "gaussian"])
def test_gradients_are_those_of_the_published_sum(make_molecule: Make, kind: str) -> None:
    blocks = BLOCKS[2]
    convolution = make_convolution(blocks, gated(blocks), kind)
    pos = positions(make_molecule).requires_grad_()
    features = [block.requires_grad_() for block in random_features(blocks, sum(SIZES))]
    gates = sum(blocks[1:])
    published = to_published(convolution, gates).requires_grad_()
    shared = [pos, *features, *convolution.hidden.weights]
    ours = run(convolution, features, pos, SIZES, kind)
    theirs = literal(convolution, features, pos, graph_of(SIZES), kind, gates, published)
    cotangents = [torch.randn_like(block) for block in ours]
    own = list(convolution.weights.parameters())
    found = torch.autograd.grad(ours, [*shared, *own], cotangents)
    *expected, last = torch.autograd.grad(theirs, [*shared, published], cotangents)
    for one, other in zip(found, expected, strict=False):
        assert_close(one, other)
    for weight, slope in zip(own, found[len(shared) :], strict=True):
        weight.data = slope
    assert_close(to_published(convolution, gates), last)


def test_second_and_third_derivatives_are_right(make_molecule: Make) -> None:
    blocks, sizes = (2, 2), (3,)
    convolution = make_convolution(blocks, (3, 2), "gaussian")
    features = random_features(blocks, 3)

    def energy(pos: Tensor, weight: Tensor) -> Tensor:
        changed = {"weights.1-1": weight}
        geometry = geometry_of(pos, sizes, 1)
        values = BASES["gaussian"](geometry.distance, NUMBER, CUTOFF)
        out = torch.func.functional_call(convolution, changed, (features, values, geometry))
        return sum(block.square().sum() for block in out)

    arguments = (
        make_molecule(3).pos.requires_grad_(),
        convolution.weights["1-1"].detach().clone().requires_grad_(),
    )
    assert torch.autograd.gradcheck(energy, arguments)
    assert torch.autograd.gradgradcheck(energy, arguments)

    def slope(pos: Tensor) -> Tensor:
        (first,) = torch.autograd.grad(energy(pos, arguments[1]), pos, create_graph=True)
        return first.square().sum()

    assert torch.autograd.gradgradcheck(slope, arguments[:1])


@pytest.mark.parametrize("kind", ["bessel", "gaussian"])
@pytest.mark.parametrize("lmax", [0, 2])
def test_first_layer_is_the_convolution_of_embedded_elements(
    make_molecule: Make, lmax: int, kind: str
) -> None:
    outputs = gated(BLOCKS[lmax])
    first = make_convolution((5,), outputs, kind, first=True)
    pos = positions(make_molecule)
    table, element = torch.randn(3, 1, 5), torch.tensor([0, 2, 1, 2, 0, 0, 1])
    geometry = geometry_of(pos, SIZES, lmax)
    values = BASES[kind](geometry.distance, NUMBER, CUTOFF)
    found = first([table], values, geometry, element)
    expected = literal(first, [table[element]], pos, graph_of(SIZES), kind, 0)
    for ours, theirs in zip(found, expected, strict=True):
        assert_close(ours, theirs)


@pytest.mark.parametrize(("lmax", "types"), [(0, 1), (1, 6), (2, 19)])
def test_convolution_is_e3nns_when_every_irrep_is_called_even(
    make_molecule: Make, lmax: int, types: int
) -> None:
    blocks, sizes = BLOCKS[lmax], (4,)
    convolution = make_convolution(blocks, blocks)
    pos, features = positions(make_molecule, sizes), random_features(blocks, 4)
    irreps = o3.Irreps([(m, (order, 1)) for order, m in enumerate(blocks)])
    sphere = o3.Irreps([(1, (order, 1)) for order in range(2 * lmax + 1)])
    product = o3.FullyConnectedTensorProduct(
        irreps,
        sphere,
        irreps,
        irrep_normalization="none",
        path_normalization="none",
        shared_weights=False,
        internal_weights=False,
    )
    assert len(product.instructions) == types
    ends = [(a, b) for a in range(4) for b in range(4) if a != b]
    a, b = torch.tensor(ends).T
    vector = pos[b] - pos[a]
    values = hidden(convolution, BASES["bessel"](vector.norm(dim=1), NUMBER, CUTOFF))
    flat = torch.cat([block.transpose(1, 2).flatten(1) for block in features], 1)
    directions = o3.SphericalHarmonics(sphere, True, "component", irreps_in="1e")(vector)
    weights = [e3nn_weight(convolution, item, values) for item in product.instructions]
    sent = product(flat[b], directions, torch.cat(weights, 1))
    expected = torch.zeros(4, irreps.dim).index_add(0, a, sent)
    found = run(convolution, features, pos, sizes, "bessel")
    joined = torch.cat([block.transpose(1, 2).flatten(1) for block in found], 1)
    assert_close(joined, expected)


def e3nn_weight(convolution: PaperConvolution, item: Any, values: Tensor) -> Tensor:
    """The weights of every edge for one instruction of e3nn, [edges, m_in * m_out]."""
    li, lf, lo = item.i_in1, item.i_in2, item.i_out
    weight = convolution.weights[f"{lo}-{li}"][:, lf - abs(lo - li)]
    weight = weight if convolution.transformed(lo, li) else weight.transpose(0, 1)
    ours, theirs = o3.wigner_3j(lo, li, lf), o3.wigner_3j(li, lf, lo).permute(2, 0, 1)
    sign = float((ours * theirs).sum())
    fan = sum(m * len(filters(lo, order)) for order, m in enumerate(convolution.inputs))
    scale = sign * ((2 * li + 1) / fan) ** 0.5
    return scale * torch.einsum("vuh,eh->evu", weight, values).flatten(1)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sizes=st.lists(st.integers(1, 7), min_size=1, max_size=4).map(tuple))
def test_table_holds_every_pair_of_a_molecule_once(sizes: tuple[int, ...]) -> None:
    table, graph = Table.of(sizes, torch.device("cpu")), graph_of(sizes)
    atoms, slots = table.partner.shape
    real = table.pair < len(table.low)
    found = sorted((a, int(table.partner[a, w])) for a, w in real.nonzero().tolist())
    every = range(atoms)
    assert found == [(a, b) for a in every for b in every if a != b and graph[a] == graph[b]]
    back = table.back.flatten()
    assert torch.equal(back[back], torch.arange(atoms * slots))
    pair = table.pair.flatten()
    assert torch.equal(pair[back], pair)
    ends = torch.stack([table.low, table.high])[:, table.pair[real]]
    slots_of = torch.arange(atoms).unsqueeze(1).expand(-1, slots)[real]
    expected = torch.stack([slots_of, table.partner[real]])
    assert torch.equal(ends.sort(0).values, expected.sort(0).values)
    assert torch.equal(table.backward[real], expected[0] > expected[1])


def test_published_weights_come_back_the_same() -> None:
    blocks = BLOCKS[2]
    one, other = (make_convolution(blocks, gated(blocks)) for _ in range(2))
    gates = sum(blocks[1:])
    weights = to_published(one, gates)
    assert len(weights) == count_paths(blocks, gated(blocks))
    from_published(other, weights, gates)
    for name, weight in one.weights.items():
        assert torch.equal(other.weights[name], weight)
    with pytest.raises(InvalidInput, match="expected"):
        from_published(other, weights[1:], gates)


def test_memory_holds_no_radial_functions(make_molecule: Make) -> None:
    """No tensor of pairs x paths is saved for the backward pass."""
    blocks, sizes = (24, 8), (12, 12)
    convolution = make_convolution(blocks, gated(blocks))
    pos = positions(make_molecule, sizes)
    saved: list[int] = []

    def note(tensor: Tensor) -> Tensor:
        saved.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        run(convolution, random_features(blocks, 24), pos, sizes, "bessel")
    pairs = 24 * 11
    assert max(saved) < pairs * count_paths(blocks, gated(blocks)) / 10
