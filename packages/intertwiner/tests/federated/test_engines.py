"""A federation as plain values, where it runs, and settings an aggregator refuses."""

from __future__ import annotations

import json

import pytest

from intertwiner.errors import ConfigError
from intertwiner.federated.engines import Job, find_engine

JOB = Job(
    model="distance-net",
    dataset="pairs",
    aggregator="mean",
    out="",
    settings={"training": {"batch_size": 8}},
    federation={"clients": 3, "rounds": 1},
    progress=False,
)


def test_a_job_survives_its_way_through_text_and_runs(registry, tmp_path):
    job = Job.from_json(JOB.to_json().replace('"out": ""', f'"out": "{tmp_path / "run"}"'))
    outcome = find_engine("local")(job, registry)
    assert outcome.finished
    assert outcome.clients == {client.name: client.examples for client in job.clients(registry)}


def test_an_unknown_engine_is_named_beside_those_there_are():
    with pytest.raises(ConfigError, match="'airflow' is not installed; there are local"):
        find_engine("airflow")


def test_an_aggregator_that_needs_more_clients_refuses_before_training(
    federation, tmp_path, monkeypatch
):
    from toy_plugin.aggregators import Mean

    monkeypatch.setattr(Mean, "fewest", 5, raising=False)
    with pytest.raises(ConfigError, match="toy/mean needs 5 updates or more, a round asks 3 of 3"):
        federation(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_aggregator_may_refuse_settings_of_its_own(federation, tmp_path, monkeypatch):
    from toy_plugin.aggregators import Mean

    def check(self, federation, training):
        raise ConfigError(f"not with {federation.optimizer} in batches of {training.batch_size}")

    monkeypatch.setattr(Mean, "check", check, raising=False)
    with pytest.raises(ConfigError, match="not with sgd in batches of 8"):
        federation(tmp_path / "run", federation={"optimizer": "sgd"})


def test_a_round_with_fewer_updates_than_the_aggregator_joins_is_skipped(
    federation, tmp_path, monkeypatch
):
    from toy_plugin.aggregators import Mean

    from intertwiner.federated.client import Client

    fit = Client.fit
    monkeypatch.setattr(Mean, "fewest", 3, raising=False)
    monkeypatch.setattr(Client, "fit", lambda c, p: fit(c, p) if c.name != "client-1" else 1 / 0)
    federation(tmp_path / "run", federation={"rounds": 1})
    (report,) = json.loads((tmp_path / "run" / "rounds.json").read_text())
    assert report["skipped"] == "2 sound updates, at least 3 are asked for (aggregator toy/mean)"


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_clients_may_use_another_optimiser(federation, tmp_path, optimizer):
    for name in ("adamw", optimizer):
        settings = {"rounds": 1, "optimizer": name}
        federation(tmp_path / name, federation=settings, training={"weight_decay": 0.1})
    one, other = (
        json.loads((tmp_path / name / "rounds.json").read_text())[0]["norms"]
        for name in ("adamw", optimizer)
    )
    assert one != other
