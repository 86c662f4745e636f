"""Densities: the kit judges what a model says of each record, in the plane and in space."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conformance_toys.checking import cases_of, failures

from intertwiner.conformance.run import run_case
from intertwiner.fields import NODE, Field, Point, Structure, Symmetry
from intertwiner.specs import ModelSpec

SPEC = ModelSpec(
    name="gaussian",
    summary="Normal about the centre",
    target="conformance_toys.density:Gaussian",
    config="conformance_toys.config:GaussianConfig",
    reads=Structure.ATOMS,
    inputs=(Field("pos", NODE, Point(None)),),
    outputs=(),
    symmetry=Symmetry(space="E(n)"),
    tasks=("density",),
)


def lying(fault: str) -> ModelSpec:
    return replace(SPEC, tiny={"fault": fault})


def test_a_sound_density_passes_everything_in_two_and_in_three_dimensions():
    outcomes = [run_case(case) for case in cases_of(SPEC)]
    assert not [str(outcome) for outcome in outcomes if outcome.status == "failed"]
    passed = {outcome.case.check for outcome in outcomes if outcome.status == "passed"}
    for check in ("rotation", "reflection", "translation", "batching", "samples", "gradients"):
        assert {name for name in passed if name.startswith(check)} == {
            f"{check} of nll (scalar per graph) [nats]",
            f"{check} of nll (scalar per graph) [nats] in 2D",
        }


@pytest.mark.fault("F44")
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("axis", {"rotation"}),
        ("company", {"batching"}),
        ("global random numbers", {"samples"}),
        ("one too few", {"samples"}),
    ],
)
def test_a_density_that_lies_fails_the_check_that_is_about_it(fault, expected):
    assert expected <= set(failures(lying(fault)))


def test_a_density_that_says_nothing_of_its_records_is_told_what_to_add():
    told = failures(replace(SPEC, target="conformance_toys.density:silent"))
    assert "record_figures" in told["outputs"]
    assert "'nll' in nats" in told["outputs"]


def test_a_density_that_cannot_be_built_is_a_finding_and_no_crash():
    told = failures(replace(SPEC, target="conformance_toys.density:missing"))
    assert "has no 'missing'" in told["outputs"]
