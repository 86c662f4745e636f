"""Random networks of three layers: the gate of the default basis, and that it can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from intertwiner_steerable3d.bases.settings import BasisSettings
from intertwiner_steerable3d.equivariance import __main__ as command
from intertwiner_steerable3d.equivariance.elements import BASES, element_table
from intertwiner_steerable3d.equivariance.network import angle_curve, network_error


def test_every_element_of_the_default_has_an_error_of_at_most_six_percent() -> None:
    rows = [row for row in element_table() if row[0] == "optimal"]
    assert len(rows) > 10
    assert max(error for *_, errors in rows for error in errors) <= 0.06


def test_three_layers_of_the_default_keep_six_percent() -> None:
    """Draws scatter threefold: how much better than the shells it is, the command tells."""
    assert network_error(BASES["optimal"], 5, seeds=6) <= 0.06


def test_the_gate_is_failed_by_a_basis_that_admits_everything() -> None:
    assert network_error(BasisSettings(tau=1.4), 3, seeds=3) > 0.06


def test_an_error_over_angles_vanishes_at_quarter_turns_alone() -> None:
    errors = angle_curve(BASES["compromise"], 3, (0, 45, 90), fields=8)
    assert errors[0] == pytest.approx(0, abs=1e-12)
    assert errors[2] == pytest.approx(0, abs=1e-12)
    assert errors[1] > 1e-3


def test_the_command_prints_both_tables_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(command, "network_error", lambda *_, **__: 0.0)
    monkeypatch.setattr(command, "ANGLES", (0, 90))
    monkeypatch.setattr(command, "angle_curve", lambda *_: [0.0, 0.0])
    command.main(["--picture", str(tmp_path / "angles.png")])
    printed = capsys.readouterr().out
    assert "optimal" in printed
    assert "0.550 0.196" in printed
    assert (tmp_path / "angles.png").stat().st_size > 1000
