"""Models of a density: no target, one number per record, samples."""

from __future__ import annotations

import csv
import math
import types

import numpy as np
import pytest
import torch
from torch import nn
from torch_geometric.data import Batch, Data

from intertwiner.data.writers import write_records
from intertwiner.errors import ConfigError, DataError, RunError
from intertwiner.fields import Structure
from intertwiner.schema import Schema
from intertwiner.training.figures import figures_of, mean_and_error, sums_of
from intertwiner.training.folder import RunFolder
from intertwiner.training.loop import train
from intertwiner.training.objective import Objective
from intertwiner.training.run import load_run
from intertwiner.training.task import build_config, build_task

EMPTY = Schema(structure=Structure.ATOMS, inputs=(), targets=())
SETTINGS = {"epochs": 6, "batch_size": 16, "learning_rate": 0.1, "average_decay": 0.0}


@pytest.fixture
def density(registry, tmp_path):
    """Trains the toy density on particles in the plane; gives the run and its outcome."""

    def run(**training):
        layers = {"training": SETTINGS | training}
        task = build_task(registry, build_config(registry, "gaussian", "flat", layers))
        outcome = train(task, RunFolder(tmp_path / "run"), progress=False)
        return load_run(tmp_path / "run", registry), outcome

    return run


def rows_of(folder) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "metrics.csv").read_text().splitlines()))


def test_a_density_learns_the_width_of_its_data_in_their_own_dimension(density):
    run, outcome = density(epochs=30)
    assert run.schema.targets == ()
    assert run.schema.inputs[0].rep.dimension == 2
    assert float(run.model.log_scale.detach().exp()) == pytest.approx(3.0, rel=0.1)
    assert outcome.selected_by == "validation/nll [nats]"


def test_validation_has_every_figure_with_its_unit_and_standard_error(density):
    run, outcome = density()
    rows = rows_of(run.path)
    assert {"validation/nll [nats]", "validation/nll/error [nats]"} <= set(rows[0])
    assert {"validation/radius [1]", "validation/radius/error [1]"} <= set(rows[0])
    assert outcome.best_loss == min(float(row["validation/nll [nats]"]) for row in rows)


def test_the_weights_that_are_kept_are_the_best_by_the_figure_chosen(density):
    run, outcome = density(select_by="loss")
    rows = rows_of(run.path)
    assert outcome.best_loss == min(float(row["validation/loss"]) for row in rows)


def test_a_figure_that_is_not_validated_cannot_choose(density):
    with pytest.raises(ConfigError, match=r"training\.select_by: 'nlll'.*loss, nll, radius"):
        density(select_by="nlll")


def test_validation_every_third_epoch_and_after_the_last(density):
    run, _ = density(epochs=7, validate_every=3)
    assert [row["epoch"] for row in rows_of(run.path)] == ["3", "6", "7"]


def test_evaluation_gives_mean_and_standard_error_over_the_test_records(density, registry):
    run, _ = density()
    records = build_task(registry, run.config).parts["test"]
    values = torch.cat([found["nll"] for found in run.figures(records)]).double()
    metric, _ = run.evaluate("test", registry).metrics
    assert (metric.name, metric.unit, metric.records) == ("nll", "nats", len(records))
    assert metric.value == pytest.approx(float(values.mean()))
    assert metric.error == pytest.approx(float(values.std()) / math.sqrt(len(records)))


def test_predicting_gives_the_figures_of_a_record(density, registry):
    run, _ = density()
    records = list(build_task(registry, run.config).parts["test"])[:2]
    assert [field.name for field in run.outputs] == ["nll", "radius"]
    assert [found["nll"].shape for found in run.predict(records)] == [(1,), (1,)]


def test_samples_are_as_many_as_asked_for_and_the_same_for_the_same_seed(density):
    run, _ = density()
    one, two, other = run.sample(5), run.sample(5), run.sample(5, seed=1)
    assert len(one) == 5
    assert all(torch.equal(a.pos, b.pos) for a, b in zip(one, two, strict=True))
    assert not torch.equal(one[0].pos, other[0].pos)
    assert [record.name for record in one] == [f"sample-{number}" for number in range(5)]
    assert one[0].pos.shape == (4, 2)


def test_samples_come_in_batches_that_end_with_the_rest(density):
    run, _ = density()
    assert [len(part) for part in run.samples(7, batch_size=3)] == [3, 3, 1]


def test_a_model_that_does_not_sample_is_refused_clearly(run_toy, tmp_path, registry):
    run_toy(tmp_path / "run", training={"epochs": 1})
    with pytest.raises(ConfigError, match="toy/distance-net cannot sample"):
        load_run(tmp_path / "run", registry).sample(1)


def test_fewer_than_one_sample_and_a_model_that_gives_too_few_are_refused(density):
    run, _ = density()
    with pytest.raises(ConfigError, match="0 samples"):
        run.sample(0)
    run.model.sample = lambda n, *, generator: []
    with pytest.raises(RunError, match="3 samples asked for, 0 given"):
        run.sample(3)


def test_a_model_with_neither_target_nor_loss_has_nothing_to_learn():
    with pytest.raises(ConfigError, match="Linear has no target here and no training_loss"):
        Objective(nn.Linear(1, 1), EMPTY, {})


def figure_model(**figures):
    model = nn.Module()
    model.record_figures = lambda batch: figures
    return model


def batch_of(count: int) -> Batch:
    return Batch.from_data_list([Data(pos=torch.zeros(2, 3)) for _ in range(count)])


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ({"nll": torch.zeros(3)}, r"'nll' has shape \(3,\), must be \(2,\)"),
        ({"energy": torch.zeros(2)}, r"gave \['energy'\], declared are \['nll'\]"),
    ],
)
def test_figures_that_are_not_one_declared_number_per_record_are_refused(figures, message):
    with pytest.raises(RunError, match=message):
        figures_of(figure_model(**figures), batch_of(2))


def test_mean_and_error_of_parts_are_those_of_the_whole():
    values = torch.tensor([1.0, 2.0, 4.0, 9.0], dtype=torch.float64)
    mean, error = mean_and_error(sums_of(values[:1]) + sums_of(values[1:]))
    assert mean == pytest.approx(4.0)
    assert error == pytest.approx(float(values.std()) / 2)
    assert math.isnan(mean_and_error(sums_of(values[:1]))[1])


def test_a_loss_that_takes_predictions_is_not_computed_twice():
    calls = []

    class Own(nn.Module):
        def forward(self, batch):
            calls.append("forward")
            return {}

        def training_loss(self, batch, predictions=None):
            return torch.tensor(float(predictions is None))

    objective, model = Objective(Own(), EMPTY, {}), Own()
    assert objective.loss_of(model, None, {"energy": torch.zeros(1)}) == 0
    assert objective(types.SimpleNamespace()) == 1
    assert not calls


def test_particles_in_the_plane_are_written_as_xyz_with_their_log_probability(tmp_path):
    record = Data(
        pos=torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
        z=torch.tensor([0, 35]),
        log_prob=torch.tensor([-1.5]),
        name='a "name"',
    )
    write_records(tmp_path / "samples.xyz", [record])
    lines = (tmp_path / "samples.xyz").read_text().splitlines()
    assert lines[0] == "2"
    assert "log_prob=-1.5" in lines[1]
    assert "name=\"a 'name'\"" in lines[1]
    assert lines[2].split() == ["X", "1.00000000", "2.00000000", "0.00000000"]
    assert lines[3].startswith("Br 3.0")


def test_an_npz_file_holds_all_records_and_where_each_begins(tmp_path):
    records = [Data(pos=torch.ones(n, 2) * n, z=torch.zeros(n).long()) for n in (2, 3)]
    write_records(tmp_path / "samples.npz", records)
    with np.load(tmp_path / "samples.npz", allow_pickle=False) as stored:
        assert stored["ptr"].tolist() == [0, 2, 5]
        assert stored["pos"].shape == (5, 2)


def test_a_file_that_cannot_be_written_or_hold_the_records_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot write '\.pdb'; there are"):
        write_records(tmp_path / "samples.pdb", [])
    with pytest.raises(DataError, match=r"write an \.npz file"):
        write_records(tmp_path / "samples.xyz", [Data(pos=torch.zeros(2, 5))])
    assert not list(tmp_path.iterdir())
