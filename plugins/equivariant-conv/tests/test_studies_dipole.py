"""The recipe `dipole-readouts`: five arms of one size, and its report of hand-made errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from intertwiner.errors import RunError
from intertwiner.training.recipes import ArmResult
from intertwiner_equivariant_conv.studies import dipole_report
from intertwiner_equivariant_conv.studies.arms import by_arm
from intertwiner_equivariant_conv.studies.dipole import ARMS, DIPOLE_READOUTS, parameters_of
from intertwiner_equivariant_conv.studies.dipole_report import Controls
from intertwiner_equivariant_conv.width import TOLERANCE

CONTROLS = Controls({"control: training mean": {"length": 0.9}, "zero": {"component": 1.2}})


def result(arm: str, seed: int, length: float) -> ArmResult:
    """The scalar arms have no vector."""
    metrics = {"test/dipole_magnitude/mae": length}
    if "scalar" not in arm:
        metrics = {"test/dipole/length_mae": length, "test/dipole/mae": length / 2}
    return ArmResult(arm, seed, Path(), 1000, 10.0, metrics)


RESULTS = [
    result("l0-scalar", 0, 0.50),
    result("l0-scalar", 1, 0.40),
    result("l0-charge", 0, 0.25),
    result("l0-charge", 1, 0.10),
    result("l1-scalar", 0, 0.95),
]


def test_all_five_arms_have_equally_many_parameters() -> None:
    settings = {arm.name: arm.overrides for arm in DIPOLE_READOUTS.arms}
    assert set(settings) == set(ARMS)
    counts = [
        parameters_of(order, readout, settings[name]["model.channels"])
        for name, (order, readout) in ARMS.items()
    ]
    assert len(counts) == 5
    assert max(counts) / min(counts) - 1 <= TOLERANCE


def test_arms_differ_in_order_readout_width_and_the_label_that_it_needs() -> None:
    listed = {"model.lmax", "model.channels", "model.dipole_readout", "data.targets"}
    small = DIPOLE_READOUTS.scales["small"]
    for arm in DIPOLE_READOUTS.arms:
        assert set(arm.overrides) == listed
        scalar = arm.overrides["model.dipole_readout"] == "scalar"
        target = "dipole_magnitude" if scalar else "dipole"
        assert arm.overrides["data.targets"] == (target,)
    assert not listed & set(small.overrides)
    assert len(small.seeds) >= 2


def test_the_table_has_lengths_for_all_arms_and_vectors_where_there_are_any() -> None:
    found = dipole_report.summarise(by_arm(RESULTS), CONTROLS)
    rows = {row[0]: row for row in found.rows}
    assert rows["l0-scalar"][2:4] == ("0.4500 ± 0.0707", "-")
    assert rows["l0-charge"][2:4] == ("0.1750 ± 0.1061", "0.08750 ± 0.05303")
    assert rows["zero"][2:4] == ("-", "1.200")


def test_sentences_are_computed_from_the_figures() -> None:
    found = dipole_report.summarise(by_arm(RESULTS), CONTROLS)
    # seed 0: 0.50 to 0.25 is 50 %, seed 1: 0.40 to 0.10 is 75 %
    assert any(
        "charges in place of scalars removes 62.5 ± 17.7 % (0.450 to 0.175 D" in note
        for note in found.notes
    )
    # only seed 0 has both: 0.50 to 0.95
    assert any("order 1 in place of 0 adds 90.0 %" in note for note in found.notes)
    figures = {figure.name: figure for figure in found.figures}
    gain = figures["error of the length removed, l0-scalar to l0-charge"]
    assert (gain.value, gain.seeds, gain.unit) == (pytest.approx(62.5), 2, "%")


def test_an_arm_no_better_than_a_control_is_called_not_learned() -> None:
    notes = dipole_report.summarise(by_arm(RESULTS), CONTROLS).notes
    (marked,) = [note for note in notes if "NOT LEARNED" in note]
    assert marked == "l1-scalar: NOT LEARNED, not better than control: training mean (0.900 D)."


def test_a_report_without_matplotlib_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object) -> Path:
        raise RunError("drawing needs matplotlib, not installed")

    monkeypatch.setattr(dipole_report, "_controls", lambda result: CONTROLS)
    monkeypatch.setattr(dipole_report, "draw_learning", fail)
    monkeypatch.setattr(dipole_report, "draw_errors", fail)
    found = dipole_report.report(RESULTS, tmp_path)
    assert found.pictures == ()
    assert any("left out: drawing needs matplotlib" in note for note in found.notes)


def test_errors_of_arms_and_controls_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    drawn = dipole_report.draw_errors(by_arm(RESULTS), CONTROLS, tmp_path / "errors.png")
    assert drawn.read_bytes().startswith(b"\x89PNG")
