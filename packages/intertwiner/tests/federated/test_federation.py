"""Whole federations: they learn, repeat to the bit, and survive what clients do to them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from intertwiner.errors import RunError
from intertwiner.federated import federation as module
from intertwiner.federated.client import Client
from intertwiner.federated.state import STATE
from intertwiner.federated.transport import InProcess, Reply
from intertwiner.training.run import load_run
from intertwiner.training.tensors import load_tensors


def weights(folder) -> dict[str, torch.Tensor]:
    return load_tensors(folder / STATE)[0]


def same(one, other) -> bool:
    ours, theirs = weights(one), weights(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


def reports(folder) -> list[dict]:
    return json.loads((folder / "rounds.json").read_text())


class Disturbed(InProcess):
    """A transport whose replies pass through a function first, round by round."""

    change = staticmethod(lambda reply: [reply])

    def collect(self, deadline):
        for reply in super().collect(deadline):
            yield from type(self).change(reply)


@pytest.fixture
def disturb(monkeypatch):
    """Puts a function between clients and server: reply -> list of replies."""

    def through(change):
        kind = type("Through", (Disturbed,), {"change": staticmethod(change)})
        monkeypatch.setattr(module, "InProcess", kind)

    return through


def test_a_federation_learns_and_leaves_a_run_like_any_other(federation, tmp_path, registry):
    outcome = federation(tmp_path / "run", federation={"rounds": 25, "local_steps": 2})
    assert outcome.finished
    assert sum(outcome.clients.values()) == 48
    losses = [sum(report["losses"].values()) for report in reports(tmp_path / "run")]
    assert sum(losses[-3:]) < 0.8 * sum(losses[:3])
    run = load_run(tmp_path / "run", registry)
    assert run.evaluate("test", registry).metrics[0].name == "extent/mae"


def test_a_density_federates_too(federation, tmp_path):
    outcome = federation(
        tmp_path / "run", pair=("gaussian", "flat"), training={"learning_rate": 0.1}
    )
    assert outcome.selected_by == "validation/nll [nats]"
    assert outcome.best < 40


def test_one_client_with_all_records_is_training_without_a_federation(federation, tmp_path):
    """One round of one client gives the weights that this client sent."""
    federation(tmp_path / "run", federation={"clients": 1, "rounds": 1})
    (report,) = reports(tmp_path / "run")
    assert report["weights"] == {"client-0": 1.0}
    assert report["cosines"]["client-0"] == pytest.approx(1.0)


def test_the_same_settings_give_the_same_bits_and_another_seed_others(federation, tmp_path):
    for name, seed in (("one", 0), ("two", 0), ("other", 1)):
        federation(tmp_path / name, training={"seed": seed})
        torch.rand(3)
    assert same(tmp_path / "one", tmp_path / "two")
    assert not same(tmp_path / "one", tmp_path / "other")


@pytest.mark.parametrize("fraction", [0.34, 0.67])
def test_a_share_of_the_clients_is_drawn_anew_in_every_round(federation, tmp_path, fraction):
    federation(tmp_path / "run", federation={"clients": 6, "rounds": 5, "fraction": fraction})
    asked = [tuple(report["expected"]) for report in reports(tmp_path / "run")]
    assert {len(names) for names in asked} == {round(fraction * 6)}
    assert len(set(asked)) > 1


@pytest.mark.fault("F65")
@pytest.mark.parametrize("aggregator", ["momentum", "near"])
def test_a_server_killed_between_rounds_resumes_to_the_same_bits(
    federation, tmp_path, monkeypatch, aggregator
):
    """Dropout, a share of the clients, the server's momentum, and what clients remember."""
    settings = {"clients": 4, "rounds": 5, "fraction": 0.5}
    options = {"federation": settings, "model": {"dropout": 0.3}, "aggregator": aggregator}
    federation(tmp_path / "whole", **options)
    original = module._Federation._finish

    def finish(self, report, started):
        if report.round == 2:
            raise KeyboardInterrupt
        original(self, report, started)

    monkeypatch.setattr(module._Federation, "_finish", finish)
    with pytest.raises(KeyboardInterrupt):
        federation(tmp_path / "parts", **options)
    monkeypatch.undo()
    assert len(reports(tmp_path / "parts")) == 2
    assert federation(tmp_path / "parts", resume=True, **options).finished
    assert same(tmp_path / "whole", tmp_path / "parts")


def test_resuming_with_other_settings_or_records_is_refused_with_the_difference(
    federation, tmp_path
):
    federation(tmp_path / "run")
    with pytest.raises(RunError, match=r"federation\.fraction: 1\.0 stored, 0\.5 here"):
        federation(tmp_path / "run", resume=True, federation={"fraction": 0.5})
    with pytest.raises(RunError, match="--resume"):
        federation(tmp_path / "run")


@pytest.mark.fault("F60")
def test_a_client_that_raises_or_never_answers_is_reported_and_the_round_completes(
    federation, tmp_path, monkeypatch, disturb
):
    original = Client.fit

    def fit(self, payload):
        if self.name == "client-1":
            raise MemoryError("out of memory")
        return original(self, payload)

    monkeypatch.setattr(Client, "fit", fit)
    disturb(lambda reply: [] if reply.client == "client-2" else [reply])
    outcome = federation(tmp_path / "run", federation={"rounds": 1})
    (report,) = reports(tmp_path / "run")
    assert report["expected"] == ["client-0", "client-1", "client-2"]
    assert report["accepted"] == ["client-0"]
    assert report["failed"] == {"client-1": "MemoryError: out of memory"}
    assert report["missing"] == ["client-2"]
    assert any("no answer from client-2" in line for line in outcome.problems)


@pytest.mark.fault("F60")
def test_after_the_deadline_nobody_is_waited_for(federation, tmp_path):
    federation(tmp_path / "run", federation={"rounds": 1, "deadline_s": 1e-9, "max_skipped": 2})
    (report,) = reports(tmp_path / "run")
    assert report["missing"]
    assert "min_clients" in report["skipped"] or report["accepted"]


def spoil(reply: Reply, **changes) -> Reply:
    return replace(reply, update=replace(reply.update, **changes))


def poisoned(reply: Reply) -> list[Reply]:
    arrays = {name: value * float("nan") for name, value in reply.update.arrays.items()}
    return [spoil(reply, arrays=arrays) if reply.client == "client-0" else reply]


@pytest.mark.fault("F61")
def test_a_poisoned_update_is_rejected_by_name_and_the_global_model_stays_sound(
    federation, tmp_path, disturb
):
    disturb(poisoned)
    federation(tmp_path / "run")
    for report in reports(tmp_path / "run"):
        (rejection,) = report["rejected"]
        assert (rejection["client"], rejection["code"]) == ("client-0", "non_finite")
        assert report["accepted"] == ["client-1", "client-2"]
    assert all(value.isfinite().all() for value in weights(tmp_path / "run").values())


@pytest.mark.fault("F61")
def test_a_client_in_double_precision_does_not_change_the_dtype_of_the_model(
    federation, tmp_path, disturb
):
    def double(reply: Reply) -> list[Reply]:
        arrays = {name: value.double() for name, value in reply.update.arrays.items()}
        return [spoil(reply, arrays=arrays) if reply.client == "client-0" else reply]

    disturb(double)
    federation(tmp_path / "run")
    assert reports(tmp_path / "run")[0]["rejected"][0]["code"] == "dtype"
    assert {value.dtype for value in weights(tmp_path / "run").values()} == {torch.float32}


@pytest.mark.fault("F62")
def test_a_client_cannot_claim_more_records_than_it_joined_with(federation, tmp_path, disturb):
    disturb(lambda r: [spoil(r, num_examples=10**12) if r.client == "client-0" else r])
    federation(tmp_path / "run")
    rejection = reports(tmp_path / "run")[0]["rejected"][0]
    assert rejection["code"] == "num_examples"
    assert "1000000000000 is not between 1 and 16" in rejection["detail"]


@pytest.mark.fault("F63")
def test_a_huge_or_flipped_update_is_remarked_upon(federation, tmp_path, disturb):
    def far(reply: Reply) -> list[Reply]:
        arrays = {name: value * -1e6 for name, value in reply.update.arrays.items()}
        arrays["scale"] = reply.update.arrays["scale"]
        return [spoil(reply, arrays=arrays) if reply.client == "client-0" else reply]

    disturb(far)
    outcome = federation(tmp_path / "run", federation={"rounds": 1})
    assert any(
        "client-0 is" in line and "longer than the median" in line for line in outcome.problems
    )


@pytest.mark.fault("F64")
def test_duplicates_late_and_strange_replies_are_ignored_and_reported(
    federation, tmp_path, disturb
):
    federation(tmp_path / "alone")

    def noisy(reply: Reply) -> list[Reply]:
        late = replace(reply, round=reply.round - 1)
        strange = replace(reply, client="mallory")
        other = replace(reply, run="another")
        return [late, strange, reply, reply, other]

    disturb(noisy)
    federation(tmp_path / "noisy")
    assert same(tmp_path / "alone", tmp_path / "noisy")
    report = reports(tmp_path / "noisy")[1]
    assert report["duplicates"] == report["expected"]
    assert len(report["late"]) == 3
    assert len(report["unknown"]) == 6


@pytest.mark.fault("F64")
def test_a_client_that_sends_two_different_updates_is_left_out(federation, tmp_path, disturb):
    def two(reply: Reply) -> list[Reply]:
        if reply.client != "client-0":
            return [reply]
        return [reply, spoil(reply, num_examples=reply.update.num_examples - 1)]

    disturb(two)
    federation(tmp_path / "run", federation={"rounds": 1})
    (report,) = reports(tmp_path / "run")
    assert report["conflicts"] == ["client-0"]
    assert report["accepted"] == ["client-1", "client-2"]


@pytest.mark.fault("F67")
def test_without_a_quorum_rounds_are_skipped_and_the_run_stops_saying_so(
    federation, tmp_path, disturb
):
    disturb(lambda reply: [reply] if reply.client == "client-0" else [])
    settings = {"min_clients": 2, "max_skipped": 2, "rounds": 5}
    with pytest.raises(RunError, match=r"2 rounds in a row without a quorum.*min_clients"):
        federation(tmp_path / "run", federation=settings)
    first, second = reports(tmp_path / "run")
    assert first["skipped"].startswith("1 sound updates, at least 2")
    assert first["metrics"]["validation/loss"] == second["metrics"]["validation/loss"]


@pytest.mark.fault("F67")
def test_a_quorum_may_ask_for_a_share_of_the_examples(federation, tmp_path, disturb):
    disturb(lambda reply: [reply] if reply.client == "client-0" else [])
    with pytest.raises(RunError, match=r"33% of the examples, at least 50% are asked for"):
        federation(tmp_path / "run", federation={"min_examples": 0.5, "max_skipped": 1})


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (lambda arrays: {**arrays, "network.0.weight": torch.zeros(1)}, r"became \(1,\), was"),
        (lambda arrays: {n: v / 0 for n, v in arrays.items()}, "became NaN or infinite"),
        (lambda arrays: {}, "arrays lost or added"),
    ],
)
def test_an_aggregator_that_gives_no_model_is_named(
    federation, tmp_path, monkeypatch, spoilt, message
):
    from toy_plugin.aggregators import Mean

    from intertwiner.federated import Aggregated

    monkeypatch.setattr(Mean, "aggregate", lambda s, u, a, st, c: Aggregated(spoilt(dict(a))))
    with pytest.raises(RunError, match=f"aggregator toy/mean: .*{message}"):
        federation(tmp_path / "run")


def test_an_objective_of_the_clients_own_keeps_them_near_the_global_weights(federation, tmp_path):
    for name, mu in (("free", 0.0), ("near", 100.0)):
        federation(
            tmp_path / name, "near", federation={"rounds": 1}, aggregator_settings={"mu": mu}
        )
    free, near = (reports(tmp_path / name)[0]["norms"]["client-0"] for name in ("free", "near"))
    assert near < 0.9 * free


def test_clients_remember_between_rounds_only_those_they_took_part_in(federation, tmp_path):
    settings = {"clients": 4, "rounds": 4, "fraction": 0.5}
    federation(tmp_path / "run", "near", federation=settings)
    taken = [name for report in reports(tmp_path / "run") for name in report["expected"]]
    for name in set(taken):
        stored = weights(tmp_path / "run")[f"client/{name}/rounds"]
        assert int(stored) == taken.count(name)


def test_a_loss_that_is_not_finite_fails_the_client_and_names_its_records(federation, tmp_path):
    federation(tmp_path / "run", data={"poison": 3}, federation={"rounds": 1})
    (report,) = reports(tmp_path / "run")
    ((client, message),) = report["failed"].items()
    assert "pair-" in message
    assert client not in report["accepted"]
