"""The paper's network: symmetry, independence of the batch, defects it must not have, bad input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from e3nn import o3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner.errors import DataError
from intertwiner_equivariant_conv.errors import InvalidInput, InvalidSetting, WrongType
from intertwiner_equivariant_conv.layers.atoms import CloseAtoms
from intertwiner_equivariant_conv.paper import network as module
from intertwiner_equivariant_conv.paper.config import PaperConfig
from intertwiner_equivariant_conv.paper.convolution import PaperConvolution
from intertwiner_equivariant_conv.paper.network import PaperNetwork, build_network
from intertwiner_equivariant_conv.paper.pairs import Geometry

pytestmark = pytest.mark.usefixtures("double_default")

Make = Callable[..., Any]
BLOCKS = {0: (6,), 1: (4, 3), 2: (4, 3, 2)}
BASES = ("bessel", "cosine", "gaussian")


@pytest.fixture
def make_paper(make_schema: Make) -> Callable[..., PaperNetwork]:
    """A small network in double precision: `make_paper("energy", lmax=1)`."""

    def make(*names: str, lmax: int = 1, **more: Any) -> PaperNetwork:
        small = {"layers": 3, "embed": 5, "radial_hidden": 8, "radial_basis": 12}
        config = PaperConfig(**{"multiplicities": BLOCKS[lmax], **small, **more})
        return build_network(config, make_schema(*(names or ("energy",)))).double()

    return make


def features_of(network: PaperNetwork, batch: Batch) -> list[Tensor]:
    """What goes into the last convolution."""
    found: list[Tensor] = []

    def note(_: Any, inputs: tuple[list[Tensor], Tensor, Geometry]) -> None:
        found.extend(block.detach() for block in inputs[0])

    assert network.last is not None
    handle = network.last.register_forward_pre_hook(note)
    network(batch)
    handle.remove()
    return found


@pytest.mark.parametrize("lmax", [0, 1, 2])
@pytest.mark.parametrize("kind", BASES)
def test_features_turn_with_the_molecule(
    make_paper: Make, make_batch: Make, moved: Make, random_rotation: Make, lmax: int, kind: str
) -> None:
    network, batch, matrix = make_paper(lmax=lmax, radial=kind), make_batch(7), random_rotation()
    before = features_of(network, batch)
    after = features_of(network, moved(batch, batch.pos @ matrix.T + torch.tensor([3.0, 9.0, -5])))
    for order, (old, new) in enumerate(zip(before, after, strict=True)):
        turn = o3.Irrep(order, 1).D_from_matrix(matrix)
        assert float(new.abs().max()) > 1e-3
        torch.testing.assert_close(new, turn @ old, rtol=0, atol=1e-11 * float(old.abs().max()))


@pytest.mark.parametrize("lmax", [1, 2])
def test_a_chiral_molecule_differs_from_its_mirror_image(
    make_paper: Make, make_batch: Make, moved: Make, lmax: int
) -> None:
    network, batch = make_paper(lmax=lmax), make_batch(8)
    one, other = network(batch)["energy"], network(moved(batch, -batch.pos))["energy"]
    assert float((one - other).detach().abs()) > 1e-6 * float(one.detach().abs())


def test_distances_alone_do_not_tell_mirror_images_apart(
    make_paper: Make, make_batch: Make, moved: Make
) -> None:
    network, batch = make_paper(lmax=0), make_batch(8)
    one, other = network(batch)["energy"], network(moved(batch, -batch.pos))["energy"]
    torch.testing.assert_close(one, other, rtol=1e-12, atol=0)


@pytest.mark.parametrize("kind", BASES)
def test_renumbering_atoms_changes_nothing(
    make_paper: Make, make_molecule: Make, kind: str
) -> None:
    network, record = make_paper(lmax=2, radial=kind), make_molecule(9)
    order = torch.randperm(9)
    shuffled = Data(pos=record.pos[order], z=record.z[order])
    one, other = (network(Batch.from_data_list([item]))["energy"] for item in (record, shuffled))
    torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-12)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=6), tile=st.sampled_from([6, 320]))
def test_a_molecule_alone_is_as_in_any_batch(
    make_paper: Make, make_molecule: Make, sizes: list[int], tile: int
) -> None:
    """Published code is off by up to a tenth of the spread here: padded atoms send messages."""
    torch.manual_seed(3)
    network = make_paper("energy", "gap", lmax=2)
    records = [make_molecule(size, seed=number) for number, size in enumerate(sizes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TILE_ATOMS", tile)
        together = network(Batch.from_data_list(records))
    for name, value in together.items():
        alone = [network(Batch.from_data_list([record]))[name] for record in records]
        torch.testing.assert_close(torch.cat(alone), value, rtol=1e-12, atol=1e-12)


def test_not_a_number_stays_in_its_molecule(make_paper: Make, make_molecule: Make) -> None:
    network = make_paper(lmax=2)
    records = [make_molecule(size, seed=size) for size in (4, 7, 5)]

    def spoil(_: Any, inputs: Any, out: list[Tensor]) -> list[Tensor]:
        out[1][-1] = float("nan")  # an atom of the largest molecule: tiles are sorted
        return out

    network.gated[0].register_forward_hook(spoil)
    with torch.no_grad():
        found = network(Batch.from_data_list(records))["energy"]
    assert found.isnan().tolist() == [False, True, False]


def test_two_networks_with_the_same_weights_are_the_same(
    make_paper: Make, make_batch: Make
) -> None:
    """No constant is drawn when a network is built, and none is missing in its state."""
    batch, one, other = make_batch(6, 8), make_paper(lmax=2), make_paper(lmax=2)
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(batch)["energy"], other(batch)["energy"])


@pytest.mark.parametrize("kind", BASES)
def test_an_atom_acts_on_itself_only_where_the_basis_is_not_zero(
    make_paper: Make, make_data: Make, kind: str
) -> None:
    batch = Batch.from_data_list([make_data([8], [[1.0, 2.0, 3.0]])])
    acts = bool(make_paper(lmax=2, radial=kind)(batch)["energy"].any())
    assert acts == (kind != "bessel")


def test_linear_self_interaction_acts_and_is_learned(make_paper: Make, make_batch: Make) -> None:
    network, batch = make_paper(lmax=2, self_interaction="linear"), make_batch(1, 6)
    out = network(batch)["energy"]
    assert bool(out.all())
    out.sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.any()), name


@pytest.mark.parametrize("readout", ["conv", "mlp"])
def test_every_target_has_a_head_of_its_own(
    make_paper: Make, make_batch: Make, readout: str
) -> None:
    """In the published code one read-out serves all targets, so that they are all alike."""
    network = make_paper("energy", "gap", "mu", readout=readout, readout_layers=2)
    batch = make_batch(6, 9)
    out = {name: value.detach() for name, value in network(batch).items()}
    ratios = [out[name] / out["energy"] for name in ("gap", "mu")]
    assert all(abs(float(ratio[0] - ratio[1])) > 1e-6 for ratio in ratios)
    head = network.last.weights["0-0"] if readout == "conv" else network.head[-1].weight
    columns = []
    for name in ("energy", "gap", "mu"):
        (slope,) = torch.autograd.grad(network(batch)[name].sum(), head)
        columns.append(slope.flatten(0, -2) if readout == "conv" else slope)
    stacked = torch.stack([column.abs().flatten() > 0 for column in columns]).sum(0)
    assert int(stacked.max()) == 1


def test_every_parameter_serves_the_target(make_paper: Make, make_batch: Make) -> None:
    network = make_paper(lmax=2)
    network(make_batch(6, 9))["energy"].square().sum().backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []
    assert not network.embedding.grad[0].any()


def test_the_property_is_a_sum_over_atoms(make_paper: Make, make_batch: Make) -> None:
    network, batch = make_paper("gap", "energy"), make_batch(5, 7)
    plain = network(batch)["energy"].detach()
    item = network.properties["energy"]
    item.mean.fill_(3.0)
    item.sigma.fill_(0.5)
    item.reference.copy_(torch.arange(5.0))
    rows = network.elements(batch.z).double()
    reference = torch.zeros(2).index_add(0, batch.batch, rows)
    expected = 0.5 * plain + 3.0 * torch.tensor([5.0, 7.0]) + reference
    torch.testing.assert_close(network(batch)["energy"].detach(), expected)


def test_prepare_sets_mean_sigma_and_average_atoms(make_paper: Make, make_batch: Make) -> None:
    network, batch = make_paper("gap"), make_batch(4, 6, 8)
    counts = torch.tensor([4.0, 6.0, 8.0])
    batch.gap = counts * torch.tensor([1.0, 2.0, 6.0])
    network.prepare([batch])
    item = network.properties["gap"]
    assert float(network.average_atoms) == 6.0
    assert float(item.mean) == pytest.approx(3.0)
    assert float(item.sigma) == pytest.approx((14 / 3) ** 0.5)
    rest = batch.gap - 3.0 * counts
    assert network.target_spreads["gap"] == pytest.approx(float(rest.square().mean() ** 0.5))


@pytest.mark.parametrize(
    ("references", "fitted"),
    [("auto", (True, False)), ("fit", (True, True)), ("none", (False,) * 2)],
)
def test_references_are_fitted_where_asked_for(
    make_paper: Make, make_batch: Make, references: str, fitted: tuple[bool, bool]
) -> None:
    network = make_paper("energy", "gap", atom_references=references)
    batch = make_batch(8, 9, 12, 15, 11, 7)
    counts = network._atoms(batch).composition(5)
    values = torch.tensor([-13.6, -1030.0, -1480.0, -2040.0, -2710.0])
    batch.energy = counts @ values
    batch.gap = counts @ values.flip(0)
    network.prepare([batch])
    for name, expected in zip(("energy", "gap"), fitted, strict=True):
        item = network.properties[name]
        assert bool(item.reference.any()) == expected
        if expected:
            assert abs(float(item.mean)) < 1e-6


def test_labels_that_are_missing_are_left_out(make_paper: Make, make_batch: Make) -> None:
    network, batch = make_paper("gap"), make_batch(4, 6, 8)
    batch.gap = torch.tensor([4.0, float("nan"), 16.0])
    network.prepare([batch])
    assert float(network.properties["gap"].mean) == pytest.approx(1.5)
    batch.gap = torch.full((3,), float("nan"))
    with pytest.raises(InvalidInput, match="gap.*none of 3"):
        network.prepare([batch])


@pytest.mark.parametrize("kind", BASES)
def test_slopes_are_those_of_differences(make_paper: Make, make_batch: Make, kind: str) -> None:
    network, batch = make_paper(lmax=2, radial=kind), make_batch(5, 6)
    batch.pos.requires_grad_()
    (slope,) = torch.autograd.grad(network(batch)["energy"].sum(), batch.pos)
    with torch.no_grad():
        for atom, axis in ((0, 0), (7, 2)):
            values = []
            for step in (-1e-6, 1e-6):
                shifted = batch.clone()
                shifted.pos = batch.pos.detach().clone()
                shifted.pos[atom, axis] += step
                values.append(float(network(shifted)["energy"].sum()))
            expected = (values[1] - values[0]) / 2e-6
            assert float(slope[atom, axis]) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_atoms_beyond_the_cutoff_do_not_matter(make_paper: Make, make_data: Make) -> None:
    network = make_paper(lmax=1)
    near = [[0.0, 0, 0], [1.1, 0, 0], [0, 1.2, 0.3]]
    alone = Batch.from_data_list([make_data([6, 8, 1], near)])
    joined = Batch.from_data_list([make_data([6, 8, 1, 7], [*near, [0, 0, 40.0]])])
    torch.testing.assert_close(network(alone)["energy"], network(joined)["energy"])


def test_two_runs_give_the_same_bits(make_paper: Make, make_batch: Make) -> None:
    network, batch = make_paper(lmax=2).float(), make_batch(20, 13, 30)
    batch.pos = batch.pos.float()
    assert torch.equal(network(batch)["energy"], network(batch)["energy"])


@pytest.mark.parametrize("sizes", [(), (0,), (0, 0), (1,), (1, 1), (0, 1, 2)])
def test_degenerate_batches(make_paper: Make, make_molecule: Make, sizes: tuple[int, ...]) -> None:
    counts = torch.tensor(sizes, dtype=torch.long)
    records = [make_molecule(size, seed=1) for size in sizes]
    batch = Batch(
        pos=torch.cat([torch.zeros(0, 3), *(record.pos for record in records)]),
        z=torch.cat([torch.zeros(0, dtype=torch.long), *(record.z for record in records)]),
        batch=torch.arange(len(sizes)).repeat_interleave(counts),
        ptr=torch.cat([torch.zeros(1, dtype=torch.long), counts.cumsum(0)]),
    )
    out = make_paper(lmax=2)(batch)["energy"].detach()
    assert out.shape == (len(sizes),)
    assert bool(torch.isfinite(out).all())
    assert not out[counts == 0].any()


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"z": torch.tensor([6, 0, 1])}, InvalidInput, "atom 1 has atomic number 0"),
        ({"z": torch.tensor([6, 1, 16])}, InvalidInput, "atom 2 .* 16; this model knows 1, 6"),
        ({"z": torch.ones(3).double()}, WrongType, "dtype torch.float64"),
        ({"pos": torch.randn(3, 3).float()}, WrongType, "float32, the network's parameters"),
        ({"pos": torch.eye(3).double() / 0.0}, InvalidInput, "atom 0 has position"),
        (
            {"pos": torch.eye(3).double()[[0, 1, 1]]},
            DataError,
            "1 and 2 .*one place",
        ),
        ({"pbc": torch.ones(1, 3, dtype=torch.bool)}, InvalidInput, "not periodic"),
    ],
)
def test_atoms_that_cannot_be_are_refused(
    make_paper: Make, make_data: Make, change: dict[str, Tensor], error: type, text: str
) -> None:
    record = make_data([6, 1, 1], [[0, 0, 0], [1.0, 0, 0], [0, 1.0, 0]])
    for name, value in change.items():
        record[name] = value
    with pytest.raises(error, match=text):
        make_paper()(Batch.from_data_list([record]))


def test_atoms_too_close_are_warned_of(make_paper: Make, make_data: Make) -> None:
    batch = Batch.from_data_list([make_data([6, 8], [[0, 0, 0], [0, 0, 0.1]])])
    with pytest.warns(CloseAtoms, match=r"0.1 angstrom apart: is the unit"):
        out = make_paper()(batch)
    assert bool(torch.isfinite(out["energy"]).all())


def test_heavier_elements_lengthen_the_embedding_and_nothing_else(make_schema: Make) -> None:
    small = PaperConfig(multiplicities=(4, 2), embed=5, radial_hidden=8, radial_basis=12)
    light = build_network(small, make_schema("energy"))
    schema = make_schema("energy")
    heavy = build_network(small, replace(schema, species=(*schema.species, 16)))
    count = [sum(p.numel() for p in network.parameters()) for network in (light, heavy)]
    assert len(light.embedding) == 10
    assert len(heavy.embedding) == 17
    assert count[1] - count[0] == 7 * 5


def test_what_the_network_cannot_give_is_refused(make_paper: Make) -> None:
    for name in ("dipole", "charges"):
        with pytest.raises(InvalidSetting, match=f"{name}.*scalars of molecules"):
            make_paper(name)
    with pytest.raises(InvalidSetting, match="atomic number 9 needs max_z"):
        make_paper(max_z=8)


def test_convolutions_have_the_published_shapes(make_paper: Make) -> None:
    """mlp: gated convolutions, one to 128 scalars, dense layers."""
    network = make_paper(lmax=1, readout="mlp", readout_layers=2, readout_hidden=(9, 7))
    shapes = [(layer.inputs, layer.outputs) for layer in network.gated]
    assert all(isinstance(layer, PaperConvolution) for layer in network.gated)
    assert shapes == [
        ((5,), (7, 3)),
        *[((4, 3), (7, 3))] * 3,
        ((4, 3), (128,)),
    ]
    widths = [tuple(layer.weight.shape) for layer in network.head if hasattr(layer, "weight")]
    assert widths == [(128, 9), (9, 7), (7, 1)]
    assert network.last is None
