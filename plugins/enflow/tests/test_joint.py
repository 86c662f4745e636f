"""Molecules: scaling, lifting, the bound's terms, padding, and samples."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from intertwiner_enflow.density.actnorm import ActNorm
from intertwiner_enflow.density.sizes import SizePrior
from intertwiner_enflow.discrete.dequantizer import Dequantizer, FixedLifting, lift
from intertwiner_enflow.discrete.lifting import class_of, integer_of, lift_class, lift_integer
from intertwiner_enflow.discrete.vocabulary import Vocabulary
from intertwiner_enflow.dynamics.joint import JointVelocity
from intertwiner_enflow.errors import StateError
from intertwiner_enflow.joint import JointFlow
from intertwiner_enflow.kernels.compiled.operation import centred_basis
from intertwiner_enflow.losses.joint import (
    joint_flow_matching_loss,
    joint_negative_log_likelihood,
)
from intertwiner_enflow.losses.likelihood import LikelihoodSettings
from intertwiner_enflow.records import alike

from intertwiner_enflow.rotations import random_rotations  # isort: skip

ELEMENTS = Vocabulary((1, 6, 8))


def molecules(extra: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Three molecules of 4, 2 and 3 atoms, padded."""
    generator = torch.Generator().manual_seed(7)
    sizes, most = (4, 2, 3), 4 + extra
    x = torch.zeros(3, most, 3, dtype=torch.float64)
    z, mask = torch.zeros(3, most, dtype=torch.int64), torch.zeros(3, most, dtype=torch.float64)
    for row, size in enumerate(sizes):
        drawn = torch.randn(size, 3, generator=generator, dtype=torch.float64)
        x[row, :size] = drawn - drawn.mean(dim=0)
        z[row, :size] = torch.tensor((6, 1, 8, 1))[:size]
        mask[row, :size] = 1
    return x, z, mask


@pytest.fixture
def flow(make_joint_velocity: Callable[..., JointVelocity]) -> JointFlow:
    dynamics = make_joint_velocity(ELEMENTS.features)
    torch.manual_seed(1)
    found = JointFlow(dynamics, ELEMENTS, Dequantizer(ELEMENTS.features, 1, 8)).double()
    found.sizes.count(torch.tensor([4, 2, 3, 3]))
    with torch.no_grad():
        found.actnorm.log_scale_x.fill_(0.3)
        found.actnorm.log_scale_h.fill_(0.2)
        found.actnorm.shift.fill_(0.1)
    return found


def test_the_scalings_determinant_is_that_on_the_subspace() -> None:
    """(M - 1) dim directions of positions, not M dim."""
    norm, x = ActNorm(2).double(), torch.zeros(1, 4, 3, dtype=torch.float64)
    with torch.no_grad():
        norm.log_scale_x.fill_(0.7)
        norm.log_scale_h.copy_(torch.tensor([0.1, -0.4]))
    h, mask = torch.zeros(1, 4, 2, dtype=torch.float64), torch.ones(1, 4, dtype=torch.float64)
    basis = centred_basis(x)[:, 0].flatten(1)

    def within(y: Tensor) -> Tensor:
        moved, scaled, _ = norm((y[:9] @ basis).reshape(1, 4, 3), y[9:].reshape(1, 4, 2), mask)
        return torch.cat((basis @ moved.flatten(), scaled.flatten()))

    jacobian = torch.autograd.functional.jacobian(within, torch.zeros(17, dtype=torch.float64))
    _, _, found = norm(x, h, mask)
    expected = float(torch.linalg.slogdet(jacobian)[1])
    assert float(found.detach()) == pytest.approx(expected, abs=1e-12)
    assert sum(p.numel() for p in ActNorm(6).parameters()) == 13


def test_the_scaling_is_set_from_data_and_can_be_undone() -> None:
    x, _, mask = molecules()
    h = torch.randn(3, 4, 2, dtype=torch.float64) * 3 * mask.unsqueeze(-1)
    norm = ActNorm(2).double()
    norm.initialise(x, h, mask)
    with torch.no_grad():
        scaled_x, scaled_h, _ = norm(x, h, mask)
        back_x, back_h = norm.inverse(scaled_x, scaled_h, mask)
    atoms = mask.sum()
    assert float(scaled_x.square().sum() / atoms) == pytest.approx(1.0, abs=1e-4)
    assert float(scaled_h.sum(dim=(0, 1)).abs().max()) < 1e-9
    assert float(scaled_h.square().sum() / (2 * atoms)) == pytest.approx(1.0, abs=1e-4)
    torch.testing.assert_close(back_x, x)
    torch.testing.assert_close(back_h, h)


def test_lifting_a_class_keeps_it_and_knows_its_determinant() -> None:
    torch.manual_seed(0)
    u = torch.randn(5, dtype=torch.float64) * 3
    for true in range(5):
        one_hot = torch.nn.functional.one_hot(torch.tensor(true), 5).double()
        v, change = lift_class(u, one_hot)
        assert int(class_of(v)) == true
        jacobian = torch.autograd.functional.jacobian(lambda u: lift_class(u, one_hot)[0], u)  # noqa: B023
        assert float(change) == pytest.approx(float(torch.linalg.slogdet(jacobian)[1]), abs=1e-9)


def test_lifting_a_whole_number_keeps_it_and_knows_its_determinant() -> None:
    u = torch.linspace(-6, 6, 25, dtype=torch.float64, requires_grad=True)
    number = torch.full_like(u, 7.0)
    v, change = lift_integer(u, number)
    assert bool((integer_of(v) == 7).all())
    (slope,) = torch.autograd.grad(v.sum(), u)
    torch.testing.assert_close(change, slope.log(), rtol=1e-9, atol=1e-9)


def test_the_learned_liftings_density_is_that_of_its_jacobian() -> None:
    x, z, mask = molecules()
    one_hot, number = ELEMENTS.encode(z, mask)
    torch.manual_seed(0)
    dequantizer = Dequantizer(ELEMENTS.features, 1, 8).double()
    noise = torch.randn(3, 4, 4, dtype=torch.float64) * mask.unsqueeze(-1)
    row, real = 1, slice(0, 2)

    def lifted(eps: Tensor) -> Tensor:
        full = noise.clone()
        full[row, real] = eps.reshape(2, 4)
        return dequantizer(x, one_hot, number, mask, full).v[row, real].flatten()

    found = dequantizer(x, one_hot, number, mask, noise)
    eps = noise[row, real].flatten()
    jacobian = torch.autograd.functional.jacobian(lifted, eps)
    jacobian = jacobian.detach()
    log_noise = -0.5 * eps.square().sum() - 4 * math.log(2 * math.pi)
    expected = log_noise - torch.linalg.slogdet(jacobian)[1]
    assert float(found.log_q[row].detach()) == pytest.approx(float(expected), abs=1e-9)
    assert torch.equal(ELEMENTS.decode(class_of(found.v[..., :-1]), mask), z)
    assert not found.v[mask == 0].any()


def test_the_dequantizer_has_the_published_size() -> None:
    found = Dequantizer(6)
    assert sum(p.numel() for p in found.parameters()) == 117_708
    assert sum(p.numel() for p in found.parameters() if not p.requires_grad) == 4_224


def test_the_bound_is_the_sum_of_its_terms(flow: JointFlow) -> None:
    x, z, mask = molecules()
    with torch.no_grad():
        found = flow.density(x, z, mask, generator=torch.Generator().manual_seed(0))
    terms = (found.size, found.prior_x, found.prior_h, found.actnorm, found.ode, found.dequantizer)
    torch.testing.assert_close(found.log_prob, torch.stack(terms).sum(dim=0))
    assert found.size.tolist() == pytest.approx([math.log(0.25), math.log(0.25), math.log(0.5)])


@pytest.mark.fault("F29")
def test_masked_atoms_change_nothing(flow: JointFlow, form: str) -> None:
    (x, z, mask), (wide_x, wide_z, wide_mask) = molecules(), molecules(extra=3)
    noise = torch.randn(3, 7, 4, dtype=torch.float64) * wide_mask.unsqueeze(-1)
    with torch.no_grad():
        found = flow.log_prob(x, z, mask, noise=noise[:, :4])
        wide = flow.log_prob(wide_x, wide_z, wide_mask, noise=noise)
        for row in range(3):
            alone = (part[row : row + 1] for part in (x, z, mask))
            one = flow.log_prob(*alone, noise=noise[row : row + 1, :4])
            torch.testing.assert_close(one[0], found[row], rtol=0, atol=1e-9)
    torch.testing.assert_close(found, wide, rtol=0, atol=1e-9)
    t = torch.full((3,), 0.5, dtype=torch.float64)
    s = torch.cat((x, noise[:, :4]), dim=-1)
    wide_s = torch.cat((wide_x, noise), dim=-1)
    with torch.no_grad():
        v, wide_v = flow.dynamics(t, s, mask), flow.dynamics(t, wide_s, wide_mask)
    torch.testing.assert_close(v, wide_v[:, :4], rtol=0, atol=1e-12)
    assert not wide_v[:, 4:].any()


def test_the_bound_is_invariant_with_the_same_noise(flow: JointFlow) -> None:
    x, z, mask = molecules()
    noise = torch.randn(3, 4, 4, dtype=torch.float64) * mask.unsqueeze(-1)
    turn = random_rotations(1, 3, torch.Generator().manual_seed(0), x.dtype)[0]
    with torch.no_grad():
        expected = flow.log_prob(x, z, mask, noise=noise)
        torch.testing.assert_close(
            flow.log_prob(-x @ turn, z, mask, noise=noise), expected, rtol=0, atol=1e-9
        )


def test_more_draws_give_a_tighter_bound(flow: JointFlow) -> None:
    x, z, mask = molecules()
    generator = torch.Generator().manual_seed(0)
    settings = {"divergence": "hutchinson", "tolerance": 1e-3, "generator": generator}
    with torch.no_grad():
        one = torch.stack([flow.log_prob(x, z, mask, **settings) for _ in range(8)]).mean()
        many = flow.log_prob(x, z, mask, importance_samples=16, **settings).mean()
    assert float(many) > float(one)


def test_samples_are_molecules_of_known_sizes(flow: JointFlow) -> None:
    found = flow.sample(
        6, return_log_prob=True, tolerance=1e-3, generator=torch.Generator().manual_seed(0)
    )
    assert set(found.mask.sum(dim=1).tolist()) <= {2.0, 3.0, 4.0}
    assert set(found.z[found.mask > 0].tolist()) <= {1, 6, 8}
    assert not found.z[found.mask == 0].any()
    assert not found.failed.any()
    assert found.log_prob is not None
    assert bool(found.log_prob.isfinite().all())


def test_a_path_ends_at_the_sample_of_the_same_noise(flow: JointFlow) -> None:
    sizes = torch.tensor([4, 3])
    settings = {"sizes": sizes, "generator": torch.Generator().manual_seed(0)}
    frames = flow.path(2, (1.0, 0.4, 0.0), **settings)
    end = flow.sample(2, sizes=sizes, generator=torch.Generator().manual_seed(0))
    assert len(frames) == 3
    torch.testing.assert_close(frames[-1].x, end.x, rtol=0, atol=1e-3)
    assert torch.equal(frames[-1].z, end.z)
    with pytest.raises(ValueError, match="begin at 1"):
        flow.path(1, (0.5, 0.0))


@pytest.mark.parametrize("aligned", [True, False])
def test_losses_reach_what_they_should(flow: JointFlow, aligned: bool) -> None:
    x, z, mask = molecules()
    loss = joint_flow_matching_loss(flow, x, z, mask, aligned=aligned)
    loss.backward()
    assert flow.dynamics.embedding.weight.grad is not None
    assert flow.dequantizer.embedding.weight.grad is None
    settings = LikelihoodSettings(steps=(2, 2), regulariser=1e-3)
    joint_negative_log_likelihood(flow, x, z, mask, settings).backward()
    trained = [p for p in flow.parameters() if p.requires_grad]
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in trained)


def test_sizes_are_counted_drawn_and_refused() -> None:
    prior = SizePrior()
    with pytest.raises(StateError, match="never set"):
        prior.sample(1)
    prior.count(torch.tensor([3, 3, 5, 9]))
    assert prior.entropy() == pytest.approx(1.5 * math.log(2))
    drawn = prior.sample(4000, torch.Generator().manual_seed(0))
    assert float((drawn == 3).double().mean()) == pytest.approx(0.5, abs=0.04)
    with pytest.raises(StateError, match="sample 1 has 4 atoms.*known sizes: 3, 5, 9"):
        prior.log_prob(torch.tensor([3, 4]))
    again = SizePrior()
    again.load_state_dict(prior.state_dict())
    assert torch.equal(again.table, prior.table)


@pytest.mark.fault("F23")
def test_elements_and_masks_that_cannot_be_are_named(flow: JointFlow) -> None:
    x, z, mask = molecules()
    strange = z.clone()
    strange[1, 1] = 17
    with pytest.raises(StateError, match="sample 1, atom 1 has atomic number 17.*knows 1, 6, 8"):
        flow.log_prob(x, strange, mask)
    with pytest.raises(StateError, match=r"sample 0, particle 0 is 0.5: must be 0 or 1"):
        flow.log_prob(x, z, mask * 0.5)
    with pytest.raises(StateError, match="sample 2 has no particle"):
        flow.log_prob(x, z, mask * torch.tensor([1.0, 1, 0]).double().unsqueeze(1))
    with pytest.raises(StateError, match="sample 1, particle 2 is masked but holds values"):
        flow.log_prob(x + 1, z, mask)


def test_a_margin_keeps_the_classes_apart_and_its_density_is_that_of_the_jacobian() -> None:
    _, z, mask = molecules()
    one_hot, number = ELEMENTS.encode(z, mask)
    lifting = FixedLifting(margin=2.0, spread=0.5)
    torch.manual_seed(0)
    noise = torch.randn(3, 4, 4, dtype=torch.float64) * mask.unsqueeze(-1)
    found = lifting(one_hot, number, mask, noise)
    gap = (found.v[..., :-1] * one_hot).sum(-1, keepdim=True) - found.v[..., :-1]
    assert float(gap[(one_hot == 0) & (mask > 0).unsqueeze(-1)].min()) > 0.5

    def lifted(eps: Tensor) -> Tensor:
        full = noise.clone()
        full[1, :2] = eps.reshape(2, 4)
        return lifting(one_hot, number, mask, full).v[1, :2].flatten()

    eps = noise[1, :2].flatten()
    jacobian = torch.autograd.functional.jacobian(lifted, eps)
    log_noise = -0.5 * eps.square().sum() - 4 * math.log(2 * math.pi)
    expected = log_noise - torch.linalg.slogdet(jacobian)[1]
    assert float(found.log_q[1]) == pytest.approx(float(expected), abs=1e-9)


def test_records_of_like_size_go_together_and_none_is_lost() -> None:
    sizes = torch.randint(1, 9, (37,), generator=torch.Generator().manual_seed(0))
    mask = (torch.arange(8) < sizes.unsqueeze(1)).double()
    parts = list(alike(mask))
    assert torch.cat([rows for rows, _ in parts]).sort().values.tolist() == list(range(37))
    assert [most for _, most in parts] == [int(sizes[rows].max()) for rows, _ in parts]
    assert all(len(rows) <= 16 for rows, _ in parts)


def test_the_fixed_lifting_is_that_of_unit_noise() -> None:
    _, z, mask = molecules()
    one_hot, number = ELEMENTS.encode(z, mask)
    noise = torch.randn(3, 4, 4, dtype=torch.float64) * mask.unsqueeze(-1)
    zero = torch.zeros_like(noise)
    torch.testing.assert_close(
        lift(one_hot, number, mask, noise).log_q,
        lift(one_hot, number, mask, noise, zero, zero).log_q,
    )
