"""Read-outs: charges, vectors, lengths and tensors, and how they set their units."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from e3nn import o3

from intertwiner_equivariant_conv.calibration import Labels
from intertwiner_equivariant_conv.errors import InvalidSetting
from intertwiner_equivariant_conv.layers.atoms import Atoms
from intertwiner_equivariant_conv.layers.readout import (
    DEBYE,
    AtomScalarReadout,
    DipoleReadout,
    MagnitudeReadout,
    PolarizabilityReadout,
    ScalarReadout,
)
from intertwiner_equivariant_conv.layers.spherical_harmonics import spherical_harmonics

pytestmark = pytest.mark.usefixtures("double_default")


def make_atoms(sizes: tuple[int, ...] = (3, 4)) -> Atoms:
    total = sum(sizes)
    graph = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    return Atoms(torch.randn(total, 3), torch.randint(0, 5, (total,)), graph, len(sizes))


def features(atoms: Atoms, lmax: int, channels: int = 4) -> torch.Tensor:
    return torch.randn(len(atoms.pos), (lmax + 1) ** 2, channels)


@pytest.mark.parametrize("total_charge", [0.0, 1.0])
def test_charges_sum_to_the_total_charge(total_charge: float) -> None:
    atoms = make_atoms()
    readout = DipoleReadout(4, 5, 0, charges=True, vectors=False, total_charge=total_charge)
    charges = readout.charges(features(atoms, 0), atoms)
    torch.testing.assert_close(atoms.sum(charges), torch.full((2,), total_charge))


def test_dipole_of_charges_is_in_debye_and_does_not_move_with_the_origin() -> None:
    atoms = make_atoms((2,))
    readout = DipoleReadout(4, 5, 0, charges=True, vectors=False)
    x = features(atoms, 0)
    charges = readout.charges(x, atoms)
    expected = DEBYE * (charges[:, None] * atoms.pos).sum(0, keepdim=True)
    torch.testing.assert_close(readout(x, atoms), expected)
    moved = Atoms(atoms.pos + 100.0, atoms.element, atoms.graph, 1)
    torch.testing.assert_close(readout(x, moved), expected)


def test_a_lone_atom_carries_the_whole_charge() -> None:
    atoms = make_atoms((1,))
    readout = DipoleReadout(4, 5, 0, charges=True, vectors=False, total_charge=-1.0)
    assert readout.charges(features(atoms, 0), atoms).tolist() == pytest.approx([-1.0])


def test_charges_and_vectors_add_up() -> None:
    atoms, x = make_atoms(), None
    x = features(atoms, 1)
    both = DipoleReadout(4, 5, 1, charges=True, vectors=True)
    charge = DipoleReadout(4, 5, 1, charges=True, vectors=False)
    vector = DipoleReadout(4, 5, 1, charges=False, vectors=True)
    charge.load_state_dict(both.state_dict(), strict=False)
    vector.load_state_dict(both.state_dict(), strict=False)
    torch.testing.assert_close(both(x, atoms), charge(x, atoms) + vector(x, atoms))


def test_vectors_without_vector_features_are_refused() -> None:
    with pytest.raises(
        ValueError, match="^lmax 0 has no vector features; use the charge read-out$"
    ):
        DipoleReadout(4, 5, 0, charges=False, vectors=True)


def test_charges_of_a_read_out_without_charges_are_refused() -> None:
    atoms = make_atoms()
    with pytest.raises(InvalidSetting, match="has no charges"):
        DipoleReadout(4, 5, 1, charges=False, vectors=True).charges(features(atoms, 1), atoms)


def test_length_has_a_finite_gradient_at_zero() -> None:
    atoms = make_atoms()
    x = torch.zeros(7, 4, 4, requires_grad=True)
    readout = MagnitudeReadout(DipoleReadout(4, 5, 1, charges=False, vectors=True))
    readout(x, atoms).sum().backward()
    assert bool(torch.isfinite(x.grad).all())


def test_order_two_is_the_traceless_part_of_a_tensor(
    random_rotation: Callable[[], torch.Tensor],
) -> None:
    """The map of the polarizability's labels, against harmonics and rotation."""

    def irreps(t: torch.Tensor) -> torch.Tensor:
        root = math.sqrt(2.0)
        parts = (root * t[0, 2], root * t[0, 1], math.sqrt(1.5) * t[1, 1], root * t[1, 2])
        return torch.stack([*parts, (t[2, 2] - t[0, 0]) / root])

    v = torch.nn.functional.normalize(torch.randn(1, 3))
    traceless = v.T @ v - torch.eye(3) / 3
    torch.testing.assert_close(
        math.sqrt(7.5) * irreps(traceless), spherical_harmonics(v, 2)[0, 4:], rtol=0, atol=1e-12
    )
    matrix = random_rotation()
    turned = irreps(matrix @ traceless @ matrix.T)
    wigner = o3.Irreps("2e").D_from_matrix(matrix)
    torch.testing.assert_close(turned, wigner @ irreps(traceless), rtol=0, atol=1e-10)


def labels(values: torch.Tensor, atoms: Atoms) -> Labels:
    arms = atoms.sum(atoms.centred().square().sum(1)).sqrt()
    return Labels("target", values.reshape(len(values), -1), atoms.composition(5), arms)


def test_scalar_read_out_starts_near_the_composition_fit() -> None:
    atoms = make_atoms((3, 4, 6, 5, 7, 8, 4, 5, 6, 9))
    truth = atoms.composition(5) @ torch.tensor([-0.5, -38.0, -54.0, -75.0, -99.0])
    readout = ScalarReadout(4, 5, "sum")
    readout.calibrate(labels(truth, atoms))
    readout.scale.data.zero_()
    torch.testing.assert_close(readout(features(atoms, 0), atoms), truth, rtol=0, atol=1e-8)


def test_mean_pooling_does_not_grow_with_the_molecule() -> None:
    readout = ScalarReadout(4, 5, "mean")
    one = Atoms(torch.randn(3, 3), torch.tensor([0, 1, 2]), torch.zeros(3, dtype=torch.long), 1)
    two = Atoms(one.pos.repeat(2, 1), one.element.repeat(2), torch.zeros(6, dtype=torch.long), 1)
    x = features(one, 0)
    torch.testing.assert_close(readout(x.repeat(2, 1, 1), two), readout(x, one))


def test_dipole_units_come_from_the_labels() -> None:
    atoms = make_atoms((3, 4, 5))
    truth = 2.0 * torch.ones(3, 3)
    readout = DipoleReadout(4, 5, 1, charges=True, vectors=True)
    readout.calibrate(labels(truth, atoms))
    assert float(readout.spread) == pytest.approx(2.0)
    assert float(readout.unit) == pytest.approx(2.0 / 2.0)
    arm = labels(truth, atoms).arm()
    assert float(readout.charge_unit) == pytest.approx(2.0 / (DEBYE * arm))


def test_atomic_scalars_start_at_the_mean_of_the_element() -> None:
    element = torch.tensor([0, 0, 1, 2])
    atoms = Atoms(torch.randn(4, 3), element, torch.zeros(4, dtype=torch.long), 1)
    one_hot = torch.nn.functional.one_hot(element, 5).double()
    readout = AtomScalarReadout(4, 5)
    values = torch.tensor([[0.1], [0.3], [-0.4], [0.0]])
    readout.calibrate(Labels("charges", values, one_hot, torch.zeros(4)))
    readout.scale.data.zero_()
    found = readout(features(atoms, 0), atoms).tolist()
    assert found == pytest.approx([0.2, 0.2, -0.4, 0.0], abs=1e-12)


def test_polarizability_is_calibrated_part_by_part() -> None:
    atoms = make_atoms((3, 4, 5, 6, 7, 8))
    readout = PolarizabilityReadout(4, 5, 2)
    isotropic = atoms.counts[:, None] * 5.0
    truth = torch.cat([isotropic, 3.0 * torch.ones(6, 5)], 1)
    readout.calibrate(labels(truth, atoms))
    assert float(readout.tensor_unit) == pytest.approx(3.0 / 5.5**0.5)
    readout.scale.data.zero_()
    torch.testing.assert_close(readout(features(atoms, 2), atoms)[:, :1], isotropic)
