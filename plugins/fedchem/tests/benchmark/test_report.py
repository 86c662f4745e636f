"""The report of a small experiment on the embedded set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from intertwiner.federated import train_arm
from intertwiner.registry import load_registry
from intertwiner.specs import Arm, Scale
from intertwiner.training.recipes import Report, reproduce
from intertwiner_fedchem.benchmark.table import finished_runs

DATASET, FEDAVG = "fedchem/gfn2-bonds", "fedchem/fedavg"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    """Two seeds of one round each."""
    registry = load_registry()
    entry = registry.recipe("fedchem/benchmark")
    over = {"dataset": DATASET, "aggregator": FEDAVG}
    divided = {"federation.partition": "dirichlet", "federation.group_by": "scaffold"}
    arms = (
        Arm(name="gfn2-bonds/centralised", overrides={"federation.clients": 1}, **over),
        Arm(name="gfn2-bonds/alpha-0.5/fedavg", overrides=divided, **over),
        Arm(
            name="gfn2-bonds/alpha-0.5/flit",
            overrides=divided,
            dataset=DATASET,
            aggregator="fedchem/flit",
        ),
    )
    settings = {
        "data.limit": 120,
        "model.width": 8,
        "training.batch_size": 16,
        "training.threads": 1,
        "federation.clients": 2,
        "federation.rounds": 2,
        "federation.local_steps": 2,
    }
    scale = Scale(overrides=settings, seeds=(0, 1), arms=arms)
    changed = replace(entry, spec=replace(entry.spec, scales={"tiny": scale}))
    out = tmp_path_factory.mktemp("runs")
    report = reproduce(registry, changed, "tiny", out, progress=False, over_clients=train_arm)
    return report, out


def test_every_division_has_its_rows_and_every_cell_its_seeds(made: tuple[Report, Path]) -> None:
    report, _ = made
    assert {row[:2] for row in report.rows} == {("gfn2-bonds", "0.5")}
    last = dict(zip(report.columns, report.rows[0], strict=True))
    assert last["weights of"] == "last round"
    assert last["fedavg"].endswith("(2)")
    assert last["centralised"].endswith("(2)")
    assert last["fedprox"] == "-"
    assert all(np.isfinite(figure.value) and figure.seeds == 2 for figure in report.figures)


def test_differences_controls_and_divisions_are_said(made: tuple[Report, Path]) -> None:
    notes = "\n".join(made[0].notes)
    assert "alpha 0.5: flit less fedavg" in notes
    assert "controls: training mean" in notes
    assert "total variation" in notes


def test_scaffolds_and_losses_are_drawn(made: tuple[Report, Path]) -> None:
    pytest.importorskip("matplotlib")
    assert [picture.name for picture in made[0].pictures] == [
        "gfn2-bonds-scaffolds.png",
        "gfn2-bonds-clients.png",
    ]
    assert all(picture.stat().st_size > 5000 for picture in made[0].pictures)


def test_finished_runs_are_found_again(made: tuple[Report, Path]) -> None:
    found = {(arm, seed) for arm, seed, _ in finished_runs(made[1])}
    assert ("gfn2-bonds/alpha-0.5/flit", 1) in found
    assert len(found) == 6
