"""The targets: energies and forces against published numbers, autograd and quadrature."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from intertwiner.errors import ConfigError, DataError
from intertwiner_enflow.targets import DoubleWell, LennardJones, Target, target_named
from intertwiner_enflow.targets.lennard_jones import KNOWN

TARGETS = (
    DoubleWell(),
    LennardJones(13, pair="half"),
    LennardJones(13, pair="double"),
    LennardJones(7, pair="half", softening=1e-2),
)
ROOT = Path(__file__).parents[3]
PARITY = Path(os.environ.get("INTERTWINER_PARITY_DIR", ROOT / "../shared/data/parity")) / "enflow"


def configurations(target: Target, count: int = 6) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    shape = (count, target.particles, target.dimension)
    return 1.7 * torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_force_is_minus_the_gradient_of_the_energy(target: Target) -> None:
    x = configurations(target).requires_grad_(True)
    (gradient,) = torch.autograd.grad(target.energy(x).sum(), x)
    torch.testing.assert_close(target.force(x.detach()), -gradient, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_energy_does_not_change_with_the_frame(target: Target) -> None:
    x = configurations(target)
    frame, _ = torch.linalg.qr(torch.randn(target.dimension, target.dimension, dtype=x.dtype))
    order = torch.randperm(target.particles)
    moved = (x @ frame)[:, order] + 10.0
    torch.testing.assert_close(target.energy(moved), target.energy(x))


@pytest.mark.skipif(not PARITY.is_dir(), reason=f"no parity fixtures in {PARITY}")
def test_potentials_are_those_of_the_published_code() -> None:
    stored = np.load(PARITY / "potentials.npz", allow_pickle=False)
    flat, cluster = torch.from_numpy(stored["dw4_x"]), torch.from_numpy(stored["lj13_x"])
    soft, double = DoubleWell(softening=1e-6), LennardJones(13, pair="double", softening=1e-6)
    for found, name in (
        (soft.energy(flat), "dw4_energy"),
        (-soft.force(flat), "dw4_grad"),
        (DoubleWell().energy(flat), "derived_dw4_no_softening"),
        (double.energy(cluster), "lj13_energy_official_all_ordered_pairs"),
        (-double.force(cluster), "lj13_grad_official"),
        (
            LennardJones(13, pair="half").energy(cluster),
            "derived_lj13_single_counted_no_softening",
        ),
        (
            LennardJones(13, pair="double").energy(cluster),
            "derived_lj13_double_counted_no_softening",
        ),
    ):
        torch.testing.assert_close(found, torch.from_numpy(stored[name]), rtol=1e-12, atol=1e-11)


def test_double_counts_the_pairs_of_half_twice() -> None:
    x = configurations(LennardJones(13, pair="half"))
    half, double = (LennardJones(13, pair=pair).energy(x) for pair in ("half", "double"))
    oscillator = 0.5 * (x - x.mean(dim=1, keepdim=True)).square().sum(dim=(1, 2))
    torch.testing.assert_close(double - oscillator, 2 * (half - oscillator))


def test_a_cluster_without_its_convention_is_refused() -> None:
    with pytest.raises(TypeError, match=r"pair='half' or 'double' \(floors 39.818 and 16.925\)"):
        LennardJones(13)
    with pytest.raises(ConfigError, match="pair='half' or 'double'"):
        target_named("lj13")
    with pytest.raises(ConfigError, match="dw4 has one convention"):
        target_named("dw4", "half")


def test_floors_are_the_entropies() -> None:
    assert DoubleWell().floor().value == pytest.approx(7.12572263)
    assert DoubleWell().floor().error == 0.0
    for (particles, pair), (log_z, energy) in KNOWN.items():
        target = LennardJones(particles, pair=pair)  # type: ignore[arg-type]
        assert target.floor().value == pytest.approx(log_z.value + energy.value)
        assert target.floor().error > 0
    with pytest.raises(DataError, match="not known"):
        LennardJones(8, pair="half").floor()


def test_coincident_particles_have_infinite_energy_never_nan() -> None:
    cluster = configurations(LennardJones(13, pair="half"))
    cluster[1, 3] = cluster[1, 4]
    energy = LennardJones(13, pair="half").energy(cluster)
    assert energy[1] == math.inf
    assert torch.isfinite(energy[[0, 2, 3]]).all()
    flat = torch.zeros(1, 4, 2)
    assert torch.isfinite(DoubleWell().force(flat)).all()


def test_a_coordinate_that_is_not_a_number_is_named() -> None:
    x = configurations(DoubleWell())
    x[2, 1, 0] = torch.nan
    with pytest.raises(DataError, match="sample 2, particle 1"):
        DoubleWell().energy(x)


@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 3, 2), (4, 2)])
def test_another_shape_is_refused_with_the_expected_one(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"\[B, 4, 2\]"):
        DoubleWell().energy(torch.zeros(shape))
