"""The convolution with a radial table: as precise as the exact one, conservative, and chosen."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch

from intertwiner.kernels import KernelFallback
from intertwiner_equivariant_conv import (
    DepthwiseConvolution,
    DepthwiseNetwork,
    RadialBasis,
    spherical_harmonics,
)
from intertwiner_equivariant_conv.errors import InvalidInput
from intertwiner_equivariant_conv.layers.radial_table import EdgeDistances, build_table

CUTOFF = 5.0


def make_graph(nodes: int = 40, degree: int = 12) -> tuple[Tensor, Tensor, Tensor]:
    """(source, target, vectors), vectors 0.9 to 5 angstrom long."""
    source = torch.randint(0, nodes, (nodes * degree,))
    target = torch.arange(nodes).repeat_interleave(degree)
    direction = torch.nn.functional.normalize(torch.randn(len(source), 3, dtype=torch.float64))
    return source, target, direction * (0.9 + 4.1 * torch.rand(len(source), 1))


def make_layers(lmax: int, channels: int = 16) -> tuple[DepthwiseConvolution, DepthwiseConvolution]:
    """(with a table, exact and in float64), of the same weights."""
    table = DepthwiseConvolution(lmax, channels, radial="table")
    exact = DepthwiseConvolution(lmax, channels, radial="exact").double()
    exact.load_state_dict(table.state_dict(), strict=False)
    return table, exact


def run(
    layer: DepthwiseConvolution, x: Tensor, graph: tuple[Tensor, Tensor, Tensor]
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """([value], [force on vectors], gradients of |force|^2 of features and weights)."""
    source, target, vectors = graph
    dtype = layer.mix["0"].dtype
    vectors, x = vectors.to(dtype).requires_grad_(), x.to(dtype).requires_grad_()
    distance = vectors.square().sum(1).sqrt()
    harmonics = spherical_harmonics(vectors / distance.unsqueeze(1), layer.lmax)
    edges = EdgeDistances(RadialBasis(8, CUTOFF).to(dtype), distance)
    out = layer(x, harmonics, edges, source, target)
    (force,) = torch.autograd.grad(out.square().sum(), vectors, create_graph=True)
    weights = list(layer.parameters())
    second = torch.autograd.grad(force.square().sum(), [x, *weights])
    return [out.detach()], [force.detach()], list(second)


@pytest.mark.parametrize("lmax", [1, 2])
def test_single_precision_table_is_within_the_promised_errors(lmax: int) -> None:
    x, graph = torch.randn(40, (lmax + 1) ** 2, 16), make_graph()
    graph = (*graph[:2], graph[2].float().double())
    table, exact = make_layers(lmax)
    bounds = (2e-6, 5e-6, 1e-5)
    for found, expected, bound in zip(
        run(table, x, graph), run(exact, x, graph), bounds, strict=True
    ):
        for ours, theirs in zip(found, expected, strict=True):
            assert 0.0 < float((ours - theirs).abs().max() / theirs.abs().max()) < bound


def test_forces_are_the_exact_derivative_of_the_interpolated_energy() -> None:
    table, _ = make_layers(1, channels=4)
    table = table.double().eval()
    x, (source, target, vectors) = torch.randn(10, 4, 4).double(), make_graph(10, 4)
    direction = torch.randn_like(vectors)

    def energy(vectors: Tensor) -> Tensor:
        distance = vectors.square().sum(1).sqrt()
        harmonics = spherical_harmonics(vectors / distance.unsqueeze(1), 1)
        edges = EdgeDistances(RadialBasis(8, CUTOFF).double(), distance)
        total: Tensor = table(x, harmonics, edges, source, target).square().sum()
        return total

    vectors.requires_grad_()
    (slope,) = torch.autograd.grad(energy(vectors), vectors)
    with torch.no_grad():
        step = 1e-5
        ends = [float(energy(vectors + sign * step * direction)) for sign in (1, -1)]
    expected = float((slope * direction).sum())
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(expected, rel=1e-7)


def test_a_basis_alone_is_refused_by_a_table_and_taken_by_auto() -> None:
    source, target, vectors = make_graph(5, 2)
    x, harmonics = torch.randn(5, 4, 4), torch.randn(len(vectors), 4)
    basis = torch.randn(len(vectors), 8)
    with pytest.raises(InvalidInput, match="pass `EdgeDistances`"):
        DepthwiseConvolution(1, 4, radial="table")(x, harmonics, basis, source, target)
    auto, exact = (DepthwiseConvolution(1, 4, radial=choice) for choice in ("auto", "exact"))
    exact.load_state_dict(auto.state_dict(), strict=False)
    ours, theirs = (layer(x, harmonics, basis, source, target) for layer in (auto, exact))
    assert torch.equal(ours, theirs)


def outputs(network: DepthwiseNetwork, batch: Batch) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in network.eval()(batch).items()}


def test_auto_is_exact_in_double_precision(
    make_network: Callable[..., DepthwiseNetwork], make_batch: Callable[..., Batch]
) -> None:
    auto, exact = (make_network("energy", "forces", radial=r) for r in ("auto", "exact"))
    exact.load_state_dict(auto.state_dict(), strict=False)
    batch = make_batch(6, 9)
    found, expected = outputs(auto, batch), outputs(exact, batch)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("radial", ["table", "exact"])
def test_a_molecule_alone_gets_what_it_gets_in_a_batch(
    radial: str, make_network: Callable[..., DepthwiseNetwork], make_batch: Callable[..., Batch]
) -> None:
    network = make_network("energy", "forces", lmax=1, radial=radial)
    molecules = make_batch(7, 3, 9).to_data_list()
    together = outputs(network, make_batch(*molecules))
    alone = [outputs(network, make_batch(molecule)) for molecule in molecules]
    for name, value in together.items():
        joined = torch.cat([item[name] for item in alone])
        torch.testing.assert_close(joined, value, rtol=0, atol=1e-12)


def test_table_and_exact_network_agree_on_molecules(
    make_network: Callable[..., DepthwiseNetwork], make_batch: Callable[..., Batch]
) -> None:
    table, exact = (make_network("energy", "forces", radial=r) for r in ("table", "exact"))
    exact.load_state_dict(table.state_dict(), strict=False)
    batch = make_batch(8, 5, 10)
    found, expected = outputs(table, batch), outputs(exact, batch)
    for name, value in expected.items():
        assert float((found[name] - value).abs().max() / value.abs().max()) < 1e-5
        assert not torch.equal(found[name], value)


def test_a_resumed_network_goes_on_to_the_same_bits(
    make_network: Callable[..., DepthwiseNetwork], make_batch: Callable[..., Batch]
) -> None:
    network, batch = make_network("energy", radial="table", lmax=1), make_batch(6, 4)

    def train(network: DepthwiseNetwork, steps: int) -> None:
        for _ in range(steps):
            network.train()(batch)["energy"].square().sum().backward()
            with torch.no_grad():
                for parameter in network.parameters():
                    parameter -= 1e-3 * parameter.grad if parameter.grad is not None else 0.0
                    parameter.grad = None

    for convolution in network.convolutions:
        convolution.guard.check_every = 3
    train(network, 2)
    resumed = copy.deepcopy(network)
    resumed.load_state_dict(network.state_dict())
    train(network, 3)
    train(resumed, 3)
    states = network.state_dict(), resumed.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert int(states[0]["convolutions.0.guard.steps"]) == 5


def test_auto_does_without_a_compiler(
    make_network: Callable[..., DepthwiseNetwork],
    make_batch: Callable[..., Batch],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "intertwiner_equivariant_conv.kernels.table.compiled.load_library", lambda *_: None
    )
    auto, exact = (make_network("energy", radial=r, lmax=1).float() for r in ("auto", "exact"))
    exact.load_state_dict(auto.state_dict(), strict=False)
    batch = make_batch(5)
    batch.pos = batch.pos.float()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", KernelFallback)
        assert torch.equal(outputs(auto, batch)["energy"], outputs(exact, batch)["energy"])


def test_evaluation_keeps_a_table_until_weights_change(
    make_network: Callable[..., DepthwiseNetwork],
    make_batch: Callable[..., Batch],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, batch = make_network("energy", radial="table", layers=1), make_batch(6)
    built: list[int] = []
    module = "intertwiner_equivariant_conv.layers.convolution"

    def spy(*arguments: object) -> Tensor:
        built.append(1)
        return build_table(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(f"{module}.build_table", spy)
    expected = outputs(network, batch)
    assert len(built) == 1
    with torch.inference_mode():
        first = network(batch)
    with torch.no_grad():
        again = network(batch)
        assert len(built) == 2
        for name, value in expected.items():
            torch.testing.assert_close(first[name], value, rtol=1e-12, atol=1e-12)
            assert torch.equal(first[name], again[name])
        network.convolutions[0].radial.weights[0].mul_(1.5)
        changed = network(batch)
    assert len(built) == 3
    assert not torch.allclose(changed["energy"], expected["energy"])


def test_forces_from_a_kept_table_are_the_same(
    make_network: Callable[..., DepthwiseNetwork], make_batch: Callable[..., Batch]
) -> None:
    network, batch = make_network("energy", "forces", radial="table"), make_batch(6, 3)
    expected = outputs(network, batch)
    with torch.no_grad():
        found = [network(batch) for _ in range(2)]
    for name, value in expected.items():
        torch.testing.assert_close(found[0][name], value, rtol=0, atol=1e-12)
        assert torch.equal(found[0][name], found[1][name])
