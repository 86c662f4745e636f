"""A run opened again predicts what the trained model predicts."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.data import Data

from intertwiner.errors import DataError, RunError
from intertwiner.training.run import load_run


@pytest.fixture
def run(run_toy, registry, tmp_path):
    run_toy(tmp_path / "run", training={"epochs": 2})
    return load_run(tmp_path / "run", registry)


def record(z: int = 6, count: int = 3) -> Data:
    generator = torch.Generator().manual_seed(count)
    pos = torch.randn(count, 3, generator=generator)
    return Data(pos=pos, z=torch.full((count,), z), name=f"r{count}", num_nodes=count)


def test_predictions_do_not_depend_on_the_batch(run):
    records = [record(count=count) for count in (1, 2, 5)]
    together = run.predict(records)
    alone = [run.predict([one])[0] for one in records]
    for ours, theirs in zip(together, alone, strict=True):
        assert ours["extent"].shape == (1,)
        assert torch.allclose(ours["extent"], theirs["extent"], rtol=1e-6)


def test_an_element_that_was_not_trained_on_is_named(run):
    with pytest.raises(
        DataError, match=r"'r3': element Cl \(17\) is not among.*: H \(1\), C \(6\), O \(8\)"
    ):
        run.predict([record(), record(z=17)])


def test_evaluation_has_metrics_and_controls_with_units(run, registry):
    evaluation = run.evaluate("test", registry)
    assert {metric.name for metric in evaluation.metrics} == {"extent/mae", "extent/rmse"}
    assert evaluation.controls[0].name == "extent/mae of the training mean"
    assert evaluation.metrics[0].unit == "angstrom^2"
    assert evaluation.metrics[0].records == 6


@pytest.mark.fault("F04")
def test_a_folder_that_is_no_run_says_so(tmp_path, registry):
    with pytest.raises(RunError, match="not a run folder"):
        load_run(tmp_path, registry)
    (tmp_path / "config.yaml").write_text("a: 1")
    with pytest.raises(RunError, match="not the settings of a run"):
        load_run(tmp_path, registry)
