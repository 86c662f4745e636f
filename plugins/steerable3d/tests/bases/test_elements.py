"""The bases against the theorem, the tables, and a Monte-Carlo estimate of their errors."""

from __future__ import annotations

import pytest
import torch

from intertwiner.conformance.groups import octahedral_rotations
from intertwiner_steerable3d.bases.angular import coupling, harmonics, wigner_matrix
from intertwiner_steerable3d.bases.elements import count_elements, kernel_elements
from intertwiner_steerable3d.bases.error import profile_error
from intertwiner_steerable3d.bases.lattice import lattice
from intertwiner_steerable3d.bases.radial import profiles
from intertwiner_steerable3d.bases.settings import BasisSettings
from intertwiner_steerable3d.equivariance.elements import BASES
from intertwiner_steerable3d.equivariance.fields import RandomFields, random_rotations
from intertwiner_steerable3d.errors import InvalidSetting

TABLES = {
    ("compromise", 3): "2111 1432 1353 1235",
    ("compromise", 5): "3222 2765 26a8 258b",
    ("conservative", 3): "2110 1421 1242 0124",
    ("conservative", 5): "3221 2754 2596 1469",
    ("conservative", 7): "4332 3a87 38eb 27bg",
    ("sfcnn", 3): "2111 1433 1364 1346",
    ("sfcnn", 5): "3222 2766 26b9 269d",
}
ADMITTED = {
    (3, 0.06): [2, 1, 0, 0, 0, 0],
    (5, 0.06): [2, 2, 1, 1, 0, 0],
    (7, 0.06): [3, 3, 2, 2, 1, 1],
    (3, 0.03): [1, 1, 0, 0, 0, 0],
    (5, 0.03): [2, 1, 1, 1, 0, 0],
    (7, 0.03): [3, 2, 2, 1, 1, 1],
}
STORED_PROFILES = {
    (5, 2): {1: 0.575, 2: 0.937, 3: 1, 4: 0.895, 5: 0.625, 6: 0.412, 8: 0.107, 9: 0.027},
    (5, 3): {1: 0.499, 2: 0.937, 3: 1, 4: 0.93, 5: 0.634, 6: 0.416, 8: 0.112, 9: 0.038},
    (3, 2): {1: 1, 2: 0.669, 3: 0.27},
}


@pytest.mark.parametrize(("limit", "size"), TABLES)
def test_the_papers_shells_have_as_many_elements_as_published(limit: str, size: int) -> None:
    digits = "0123456789abcdefgh"
    expected = [[digits.index(one) for one in row] for row in TABLES[limit, size].split()]
    basis = BASES[limit]
    found = [[count_elements(out, source, size, basis) for source in range(4)] for out in range(4)]
    assert found == expected


@pytest.mark.parametrize(("size", "tau"), ADMITTED)
def test_optimal_profiles_are_as_many_as_the_error_allows(size: int, tau: float) -> None:
    basis = BasisSettings(tau=tau)
    found = [profiles(order, size, basis) for order in range(6)]
    assert [len(one) for one in found] == ADMITTED[size, tau]
    assert all(profile.error <= tau for one in found for profile in one)


@pytest.mark.parametrize(("size", "order"), STORED_PROFILES)
def test_optimal_profiles_are_the_stored_ones(size: int, order: int) -> None:
    values = profiles(order, size, BasisSettings(tau=1.0))[0].values
    squares = lattice(size).radii.square().round().int().tolist()
    for square, value in STORED_PROFILES[size, order].items():
        assert float(values[squares.index(square)]) == pytest.approx(value, abs=6e-4)


def test_the_papers_default_admits_an_element_that_is_hardly_equivariant() -> None:
    errors = [profile.error for profile in profiles(3, 5, BASES["compromise"])]
    assert errors == pytest.approx([0.55, 0.196], abs=5e-3)


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("size", [3, 4, 5])
def test_elements_obey_the_constraint_at_all_rotations_of_the_cube(name: str, size: int) -> None:
    for out, source in ((0, 0), (1, 0), (1, 1), (2, 1), (3, 2)):
        kernels = kernel_elements(out, source, size, BASES[name]).kernels.flatten(3)
        norms = kernels.flatten(1).norm(dim=1)
        torch.testing.assert_close(norms, torch.ones_like(norms))
        points = lattice(size).points
        for rotation in octahedral_rotations():
            moved = torch.cdist(points @ rotation.T, points).argmin(1)
            left, right = wigner_matrix(out, rotation), wigner_matrix(source, rotation)
            expected = torch.einsum("ij,bjkx,lk->bilx", left, kernels, right)
            torch.testing.assert_close(kernels[..., moved], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", BASES)
def test_elements_are_independent(name: str) -> None:
    for out, source in ((0, 0), (1, 1), (2, 1), (3, 3)):
        kernels = kernel_elements(out, source, 5, BASES[name]).kernels.flatten(1)
        assert int(torch.linalg.matrix_rank(kernels)) == len(kernels)


@pytest.mark.parametrize(("out", "source"), [(0, 0), (1, 0), (1, 1), (2, 1), (3, 2), (3, 3)])
def test_couplings_are_all_equivariant_maps_at_a_point(out: int, source: int) -> None:
    """The theorem: at a point, maps that commute with the turns about it; no more, no fewer."""
    point = torch.tensor([[0.3, -1.1, 0.7]], dtype=torch.float64)
    orders = range(abs(out - source), out + source + 1)
    maps = torch.stack(
        [coupling(out, source, order) @ harmonics(order, point)[0] for order in orders]
    )
    rank = int(torch.linalg.matrix_rank(maps.flatten(1)))
    turn = _about(point[0], 1.0)
    left, right = wigner_matrix(out, turn), wigner_matrix(source, turn)
    size = (2 * out + 1) * (2 * source + 1)
    constraint = torch.kron(left, right) - torch.eye(size, dtype=torch.float64)
    free = size - int(torch.linalg.matrix_rank(constraint, atol=1e-9))
    assert rank == free == 2 * min(out, source) + 1


def _about(axis: torch.Tensor, angle: float) -> torch.Tensor:
    x, y, z = (float(one) for one in axis / axis.norm())
    cross = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)
    return torch.linalg.matrix_exp(angle * cross)


@pytest.mark.parametrize(("order", "size", "name"), [(2, 5, "optimal"), (3, 5, "conservative")])
def test_the_closed_form_error_agrees_with_draws(order: int, size: int, name: str) -> None:
    profile = profiles(order, size, BASES[name])[0]
    grid = lattice(size)
    kernel = harmonics(order, grid.points) * profile.values[grid.shell, None]
    generator = torch.Generator().manual_seed(0)
    rotations = random_rotations(400, generator)
    fields = RandomFields(400, size, 1.0, generator)
    still = fields.on_grid(torch.eye(3, dtype=torch.float64)[None]).flatten(1) @ kernel
    turned = fields.on_grid(rotations).flatten(1) @ kernel
    matrices = torch.stack([wigner_matrix(order, rotation) for rotation in rotations])
    expected = torch.einsum("nij,nj->ni", matrices, still)
    error = float(((turned - expected).square().sum() / still.square().sum()).sqrt())
    assert error == pytest.approx(profile.error, rel=0.15)


def test_size_one_mixes_fields_of_equal_order_alone() -> None:
    basis = BasisSettings()
    counts = [[count_elements(out, source, 1, basis) for source in range(3)] for out in range(3)]
    assert counts == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_with_parity_only_elements_that_keep_reflections_remain() -> None:
    basis = BasisSettings(parity=True)
    for out, source in ((1, 1), (2, 1), (3, 2)):
        kernels = kernel_elements(out, source, 5, basis).kernels
        mirrored = kernels.flip(3, 4, 5) * (-1) ** (out + source)
        assert len(kernels) < count_elements(out, source, 5, BasisSettings())
        torch.testing.assert_close(mirrored, kernels, rtol=0, atol=1e-12)


def test_unequal_voxel_edges_keep_the_symmetry_that_is_left() -> None:
    kernels = kernel_elements(1, 0, 5, BasisSettings(), (1.0, 1.0, 1.5)).kernels[:, :, 0]
    assert len(kernels) > 0
    turned = kernels.transpose(2, 3).flip(3)  # a quarter turn about z: (x, y) -> (-y, x)
    rotation = torch.tensor([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]], dtype=torch.float64)
    expected = torch.einsum("ij,bjxyz->bixyz", rotation, kernels)
    assert any(
        torch.allclose(turned, matrix, atol=1e-12)
        for matrix in (expected, torch.einsum("ji,bjxyz->bixyz", rotation, kernels))
    )


def test_an_error_of_zero_radius_functions_is_that_of_points() -> None:
    delta = (lattice(3).radii == 0).double()
    assert profile_error(delta, 0, 3) == pytest.approx(0.0, abs=1e-7)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(InvalidSetting, match="size must be >= 1"):
        lattice(0)
    with pytest.raises(InvalidSetting, match="three voxel edges"):
        lattice(3, (1.0, 0.0, 1.0))
    with pytest.raises(InvalidSetting, match="basis 'bessel'"):
        BasisSettings(kind="bessel")  # type: ignore[arg-type]
    with pytest.raises(InvalidSetting, match="tau 0"):
        BasisSettings(tau=0.0)
    with pytest.raises(InvalidSetting, match="orders are 0 to 8"):
        kernel_elements(9, 0, 3, BasisSettings())
