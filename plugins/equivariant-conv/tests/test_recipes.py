"""The ablation: equal arms, controls by hand, and a report from small real runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch_geometric.data import Data

from intertwiner.errors import RunError
from intertwiner.training.recipes import ArmResult
from intertwiner_equivariant_conv import count_parameters, recipes
from intertwiner_equivariant_conv.ablation import ABLATION, DEPTH, RADIAL_HIDDEN
from intertwiner_equivariant_conv.layers.readout import DEBYE
from intertwiner_equivariant_conv.width import TOLERANCE


def result(arm: str, seed: int, error: float, folder: Path = Path()) -> ArmResult:
    metrics = {"test/dipole/mae": error, "test/dipole/length_mae": 2 * error}
    return ArmResult(arm, seed, folder, 1000 + seed, 10.0, metrics)


def test_arms_have_equally_many_parameters() -> None:
    counts = []
    for arm in ABLATION.arms:
        settings, readout = arm.overrides, str(arm.overrides["model.dipole_readout"])
        counts.append(
            count_parameters(
                settings["model.channels"],
                DEPTH,
                settings["model.lmax"],
                charges="charge" in readout,
                vectors="vector" in readout,
                radial_hidden=RADIAL_HIDDEN,
            )
        )
    assert len(counts) == 3
    assert max(counts) / min(counts) - 1 <= TOLERANCE


def test_arms_differ_in_the_listed_factors_alone() -> None:
    listed = {"model.lmax", "model.channels", "model.dipole_readout"}
    assert all(set(arm.overrides) == listed for arm in ABLATION.arms)
    assert not listed & set(ABLATION.scales["small"].overrides)
    assert len(ABLATION.scales["small"].seeds) >= 2


def test_controls_by_hand() -> None:
    record = Data(
        pos=torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 2.0]]),
        charges=torch.tensor([-0.5, 0.5]),
        dipole=torch.tensor([[3.0, 0.0, DEBYE]]),
    )
    controls = recipes.dipole_controls([record])
    assert list(controls.values()) == pytest.approx([(3.0 + DEBYE) / 3, 1.0])


@pytest.fixture
def _without_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """No run folders: one record for the controls, and drawings that fail by name."""
    record = Data(pos=torch.zeros(1, 3), charges=torch.zeros(1), dipole=torch.ones(1, 3))
    monkeypatch.setattr(recipes, "load_run", lambda folder: None)
    monkeypatch.setattr(recipes, "_test_records", lambda run: [record])

    def fail(*_: object) -> Path:
        raise RunError("needs matplotlib; run: pip install 'intertwiner[viz]'")

    monkeypatch.setattr(recipes, "_draw_curves", fail)
    monkeypatch.setattr(recipes, "_draw_dipoles", lambda run, records, out: out)


@pytest.mark.usefixtures("_without_runs")
def test_report_has_every_arm_its_spread_and_the_controls(tmp_path: Path) -> None:
    results = [
        result("lmax1-vector", 0, 0.08),
        result("lmax0-charge", 0, 0.10),
        result("lmax1-vector", 1, 0.10),
        result("lmax0-charge", 1, 0.20),
    ]
    found = recipes.report(results, tmp_path)
    rows = {row[0]: row for row in found.rows}
    assert rows["lmax1-vector"][1:4] == ("1,000", "0.0900 ± 0.0141", "0.1800 ± 0.0283")
    assert rows["control: zero vector"][2] == "1.0000"
    gain = {figure.name: figure for figure in found.figures}[
        "lmax1-vector/error removed against lmax0-charge"
    ]
    assert (gain.value, gain.seeds, gain.unit) == (pytest.approx(35.0), 2, "%")


@pytest.mark.usefixtures("_without_runs")
def test_report_names_the_picture_it_leaves_out_and_why(tmp_path: Path) -> None:
    found = recipes.report([result("lmax1-vector", 0, 0.08)], tmp_path)
    assert found.pictures == (tmp_path / "dipoles.png",)
    assert any("left out: needs matplotlib" in note for note in found.notes)


@pytest.mark.usefixtures("_without_runs")
def test_an_arm_no_better_than_the_controls_is_called_not_learned(tmp_path: Path) -> None:
    found = recipes.report([result("a", 0, 5.0), result("b", 0, 0.1)], tmp_path)
    assert [note for note in found.notes if "NOT LEARNED" in note] == [
        "a: NOT LEARNED, it does not beat the controls."
    ]
