"""The energy difference: interface-only equals the naive order, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch_geometric.data import Batch, Data

from intertwiner_atomic_conv.config import CoreConfig, CrossConfig, CutoffConfig, DglCoreConfig
from intertwiner_atomic_conv.errors import InvalidInput, InvalidSetting
from intertwiner_atomic_conv.graphs.blocks import join_blocks

CASES = [
    pytest.param(CoreConfig, {"neighbors": 1}, id="knn 1"),
    pytest.param(CoreConfig, {"neighbors": 4}, id="knn 4"),
    pytest.param(CoreConfig, {"neighbors": 12}, id="knn 12"),
    pytest.param(CoreConfig, {"neighbors": 48}, id="knn 48"),
    pytest.param(CoreConfig, {"neighbors": 400}, id="knn more than there are"),
    pytest.param(CoreConfig, {"other": False}, id="no other elements"),
    pytest.param(CoreConfig, {"types": (79,)}, id="all atoms other"),
    pytest.param(CoreConfig, {"reach": 0.5}, id="nobody in reach"),
    pytest.param(CrossConfig, {}, id="cross"),
    pytest.param(CutoffConfig, {}, id="cutoff"),
    pytest.param(DglCoreConfig, {}, id="one network"),
]
GRAPHS = [
    pytest.param(CoreConfig, {}, id="knn"),
    pytest.param(CrossConfig, {}, id="cross"),
    pytest.param(CutoffConfig, {}, id="cutoff"),
]


def values_and_gradients(network: torch.nn.Module, batch: Batch) -> list[torch.Tensor]:
    batch = batch.clone()
    batch.pos = batch.pos.detach().requires_grad_()
    out = network(batch)["pK"]
    weights = torch.arange(1.0, len(out) + 1, dtype=out.dtype)
    leaves = [batch.pos, *(p for p in network.parameters() if p.requires_grad)]
    found = torch.autograd.grad((out * weights).sum(), leaves, allow_unused=True)
    zeros = [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)]
    return [out.detach(), *zeros]


@pytest.mark.parametrize(("kind", "settings"), CASES)
@pytest.mark.parametrize("kernels", ["", "reference"])
def test_interface_only_equals_the_naive_order(
    make_network: Callable[..., torch.nn.Module],
    make_complex: Callable[..., Data],
    make_batch: Callable[..., Batch],
    monkeypatch: pytest.MonkeyPatch,
    kind: type,
    settings: dict,
    kernels: str,
) -> None:
    monkeypatch.setenv("INTERTWINER_KERNELS", kernels)
    records = make_complex(120, 8, 1), make_complex(40, 5, 2), make_complex(30, 1, 3)
    batch = make_batch(*records, make_complex(60, 6, 4, lattice=True))
    fast = values_and_gradients(make_network(kind, **settings), batch)
    slow = values_and_gradients(make_network(kind, order="naive", **settings), batch)
    assert float((fast[0] - slow[0]).abs().max()) <= 1e-12 * max(1, float(slow[0].abs().max()))
    largest = max(float(gradient.abs().max()) for gradient in slow[1:])
    for ours, theirs in zip(fast[1:], slow[1:], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10 * largest)


@pytest.mark.parametrize(("kind", "settings"), GRAPHS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_far_apart_the_interaction_is_exactly_zero(
    make_network: Callable[..., torch.nn.Module],
    make_complex: Callable[..., Data],
    make_batch: Callable[..., Batch],
    kind: type,
    settings: dict,
    dtype: torch.dtype,
) -> None:
    network = make_network(kind, **settings).to(dtype)
    near, far = make_complex(80, 6), make_complex(80, 6)
    far.pos[far.part == 1] += torch.tensor([50.0, 0.0, 0.0], dtype=torch.float64)
    batch = make_batch(near, far)
    batch.pos = batch.pos.to(dtype)
    interaction = network.interaction(batch).detach()
    assert float(interaction[0]) != 0.0
    assert float(interaction[1]) == 0.0


def test_three_parts_with_one_far_away_are_two_parts(
    make_network: Callable[..., torch.nn.Module],
    make_complex: Callable[..., Data],
    make_batch: Callable[..., Batch],
) -> None:
    network = make_network()
    two, three = make_complex(80, 6), make_complex(80, 6)
    extra = make_complex(20, 3, 9)
    three.pos = torch.cat([three.pos, extra.pos + 100.0])
    three.z = torch.cat([three.z, extra.z])
    three.part = torch.cat([three.part, torch.full_like(extra.part, 2)])
    found = network.interaction(make_batch(two, three)).detach()
    assert float(found[0]) == pytest.approx(float(found[1]), abs=1e-12)


@pytest.mark.parametrize(("kind", "settings"), GRAPHS)
def test_moving_and_renumbering_change_nothing(
    make_network: Callable[..., torch.nn.Module],
    make_complex: Callable[..., Data],
    make_batch: Callable[..., Batch],
    predict: Callable[..., torch.Tensor],
    random_rotation: Callable[[], torch.Tensor],
    kind: type,
    settings: dict,
) -> None:
    network, record = make_network(kind, **settings), make_complex(90, 8)
    moved, order = record.clone(), torch.randperm(90, generator=torch.Generator().manual_seed(1))
    moved.pos = record.pos @ random_rotation() + 100.0
    for name in ("pos", "z", "part"):
        moved[name] = moved[name][order]
    found = predict(network, make_batch(record, moved))
    assert float((found[0] - found[1]).abs()) <= 1e-10


@pytest.mark.fault("F29")
def test_company_in_the_batch_changes_nothing(
    make_network: Callable[..., torch.nn.Module],
    make_complex: Callable[..., Data],
    make_batch: Callable[..., Batch],
    predict: Callable[..., torch.Tensor],
) -> None:
    network = make_network()
    records = [make_complex(n, m, s) for s, (n, m) in enumerate([(90, 8), (2, 1), (300, 20)])]
    together = predict(network, make_batch(*records, records[0]))
    alone = [predict(network, make_batch(record)) for record in (*records, records[0])]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=1e-12)


def test_atoms_add_up_to_the_interaction(
    make_network: Callable[..., torch.nn.Module],
    make_complex: Callable[..., Data],
    make_batch: Callable[..., Batch],
) -> None:
    network, batch = make_network(), make_batch(make_complex(90, 8), make_complex(50, 5, 2))
    atoms = network.atom_contributions(batch).detach()
    sums = torch.zeros(2, 1, dtype=torch.float64).index_add(0, batch.batch, atoms)
    torch.testing.assert_close(sums, network.interaction(batch).detach())


def test_the_last_bias_cancels_in_either_order(
    make_network: Callable[..., torch.nn.Module],
    make_complex: Callable[..., Data],
    make_batch: Callable[..., Batch],
) -> None:
    batch = make_batch(make_complex(90, 8))
    for order, allowed in (("interface", 0.0), ("naive", 1e-12)):
        network = make_network(order=order)
        bias = network.convolution.networks.biases[-1].requires_grad_()
        (gradient,) = torch.autograd.grad(network(batch)["pK"].sum(), bias)
        assert float(gradient.abs().max()) <= allowed


def test_tied_dropout_leaves_equal_orders_equal(
    make_network: Callable[..., torch.nn.Module],
    make_complex: Callable[..., Data],
    make_batch: Callable[..., Batch],
) -> None:
    network, batch = make_network().train(), make_batch(make_complex(90, 8))
    drawn = []
    for seed in (0, 0, 1):
        network.convolution.networks.generator = torch.Generator().manual_seed(seed)
        drawn.append(float(network(batch)["pK"].detach()))
    assert drawn[0] == drawn[1] != drawn[2]
    far = make_complex(90, 8)
    far.pos[far.part == 1] += 50.0
    assert float(network.interaction(make_batch(far)).detach()) == 0.0


def test_hydrogens_do_not_count_unless_kept(
    make_network: Callable[..., torch.nn.Module],
    make_complex: Callable[..., Data],
    make_batch: Callable[..., Batch],
    predict: Callable[..., torch.Tensor],
) -> None:
    record = make_complex(80, 6)
    extra = make_complex(30, 3, 5)
    with_hydrogens = record.clone()
    with_hydrogens.pos = torch.cat([record.pos, extra.pos + 0.3])
    with_hydrogens.z = torch.cat([record.z, torch.ones_like(extra.z)])
    with_hydrogens.part = torch.cat([record.part, extra.part])
    batch = make_batch(record, with_hydrogens)
    found = predict(make_network(), batch)
    assert float(found[0]) == pytest.approx(float(found[1]), abs=1e-13)
    kept = predict(make_network(types=(1, 6, 7, 8), hydrogens="keep"), batch)
    assert float(kept[0]) != float(kept[1])


def test_coordinates_take_second_derivatives(
    make_network: Callable[..., torch.nn.Module],
    make_complex: Callable[..., Data],
    make_batch: Callable[..., Batch],
) -> None:
    network = make_network(CrossConfig, hidden=(4,), dropout=(0.0,))
    batch = make_batch(make_complex(12, 3))

    def energy(pos: torch.Tensor) -> torch.Tensor:
        moved = batch.clone()
        moved.pos = pos
        return network.interaction(moved)

    pos = batch.pos.requires_grad_()
    assert torch.autograd.gradcheck(energy, (pos,))
    (slope,) = torch.autograd.grad(energy(pos).sum(), pos, create_graph=True)
    assert slope.requires_grad


def test_single_precision_is_close_to_double(
    make_network: Callable[..., torch.nn.Module],
    make_complex: Callable[..., Data],
    make_batch: Callable[..., Batch],
    predict: Callable[..., torch.Tensor],
) -> None:
    network, batch = make_network(), make_batch(make_complex(150, 8))
    double = network.interaction(batch).detach()
    single_batch = batch.clone()
    single_batch.pos = batch.pos.float()
    exact = batch.clone()
    exact.pos = single_batch.pos.double()
    double = network.interaction(exact).detach()
    single = network.float().interaction(single_batch).detach()
    assert float((single - double).abs()) <= 4e-6 * max(1.0, float(double.abs()))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"hydrogens": "keep"}, "type list has no 1: hydrogens would fill neighbour slots unseen"),
        ({"masks": "independent"}, "needs tied dropout"),
        ({"types": (6, 7, 6)}, "types: 6 is given twice"),
        ({"dropout": (0.1,)}, "1 rates for 2 hidden layers"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    make_network: Callable[..., torch.nn.Module], settings: dict, said: str
) -> None:
    with pytest.raises(InvalidSetting, match=said):
        make_network(**settings)


@pytest.mark.fault("F22")
@pytest.mark.parametrize("number", [0, 119])
def test_a_number_that_is_no_element_names_the_atom(
    make_network: Callable[..., torch.nn.Module],
    make_complex: Callable[..., Data],
    make_batch: Callable[..., Batch],
    number: int,
) -> None:
    record = make_complex(20, 3)
    record.z[5] = number
    with pytest.raises(InvalidInput, match=rf"Z\[5\] = {number}"):
        make_network()(make_batch(record))


def test_one_atom_each_has_a_defined_result(
    make_network: Callable[..., torch.nn.Module], make_batch: Callable[..., Batch]
) -> None:
    record = Data(
        pos=torch.tensor([[0.0, 0, 0], [3.0, 0, 0]], dtype=torch.float64),
        z=torch.tensor([6, 30]),
        part=torch.tensor([0, 1]),
        name="pair",
    )
    found = values_and_gradients(make_network(), make_batch(record))
    assert all(bool(torch.isfinite(value).all()) for value in found)
    assert float(found[1].abs().max()) > 0


@pytest.mark.fault("F22")
def test_atoms_in_one_place_and_no_changed_atom_have_finite_gradients(
    make_network: Callable[..., torch.nn.Module],
    make_complex: Callable[..., Data],
    make_batch: Callable[..., Batch],
) -> None:
    together, apart = make_complex(30, 4), make_complex(30, 4, 1)
    together.pos[(together.part == 1).nonzero()[0, 0]] = together.pos[together.part == 0][0]
    apart.pos = apart.pos + 90.0 * (apart.part == 1).unsqueeze(1)
    for graph in ("knn", "cutoff", "cross"):
        network = make_network(graph=graph)
        for record in (together, apart):
            found = values_and_gradients(network, make_batch(record))
            assert all(bool(torch.isfinite(value).all()) for value in found)
        assert not network.interaction(make_batch(apart)).any()


def test_an_empty_batch_has_an_empty_result(make_network: Callable[..., torch.nn.Module]) -> None:
    network = make_network()
    nothing = join_blocks([], [], len(network.types))
    assert network.convolution(nothing).shape == (0, 1)


def test_weights_of_another_preset_are_refused(
    make_network: Callable[..., torch.nn.Module],
) -> None:
    other = make_network(cutoffs=(4.0, 8.0), other=False)
    with pytest.raises(InvalidSetting, match="has 6 filters x 14 types, model 9 x 15"):
        make_network().load_state_dict(other.state_dict())
