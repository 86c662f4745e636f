"""The generator: small runs get ln Z and the virial right, and the checks see what is wrong."""

from __future__ import annotations

import pytest
import torch

from intertwiner.errors import DataError
from intertwiner_enflow.generators import Annealing, anneal, check_samples, compare_runs, generate
from intertwiner_enflow.generators.annealing import systematic
from intertwiner_enflow.generators.chains import Tempered
from intertwiner_enflow.targets import DoubleWell, LennardJones, Target

SHORT = Annealing(sigma=2.2, sweeps=8, final_sweeps=60, step=0.2)


@pytest.mark.parametrize(
    "target", [DoubleWell(), LennardJones(13, pair="half")], ids=lambda target: target.name
)
def test_a_small_run_passes_its_own_tests(target: Target) -> None:
    made = generate(target, 500, seed=1)
    assert made.passed, [str(check) for check in made.checks]
    assert made.run.log_z == pytest.approx(target.log_z.value, abs=0.5)
    assert made.run.x.shape == (500, target.particles, target.dimension)
    assert float(made.run.x.mean(dim=1).abs().max()) < 1e-5


def test_a_seed_gives_the_same_samples_again() -> None:
    runs = [
        anneal(DoubleWell(), 100, SHORT, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    ]
    assert torch.equal(runs[0].x, runs[1].x)
    assert runs[0].log_z == runs[1].log_z
    assert not torch.equal(runs[0].x, runs[2].x)
    assert all(check.passed for check in compare_runs(runs[0], runs[2]))


def test_samples_of_another_target_fail_the_virial() -> None:
    run = anneal(DoubleWell(), 300, SHORT, torch.Generator().manual_seed(0))
    virial = check_samples(DoubleWell(), 1.05 * run.x)[0]
    assert not virial.passed
    assert "FAILED" in str(virial)


def test_energies_of_the_chains_are_those_of_the_target() -> None:
    target = LennardJones(13, pair="double")
    x = 1.5 * torch.randn(20, 13, 3, generator=torch.Generator().manual_seed(0))
    x -= x.mean(dim=1, keepdim=True)
    chains = x.permute(1, 2, 0).contiguous()
    tempered = Tempered(target, 1.0)
    torch.testing.assert_close(tempered.energy(chains), target.energy(x), rtol=1e-4, atol=1e-3)
    force = -tempered.gradient(chains, 1.0).permute(2, 0, 1)
    torch.testing.assert_close(force, target.force(x), rtol=1e-4, atol=1e-2)


def test_systematic_resampling_keeps_shares() -> None:
    weight = torch.tensor([0.5, 0.25, 0.25, 1e-9], dtype=torch.float64).log()
    counts = systematic(weight.repeat(250), torch.Generator().manual_seed(0)) % 4
    assert counts.bincount(minlength=4).tolist() == pytest.approx([500, 250, 250, 0], abs=2)


def test_a_target_without_settings_is_named() -> None:
    with pytest.raises(DataError, match="lj8-half: no settings"):
        generate(LennardJones(8, pair="half"), 10, seed=0)
