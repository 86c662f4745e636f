"""The rounds over a grid of nodes that say whatever they like."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
import torch

pytest.importorskip("flwr", reason="needs the extra flower")

import flwr.app

from intertwiner.errors import ConfigError
from intertwiner.federated.client import Payload
from intertwiner.federated.engines import Job
from intertwiner.federated.updates import Update
from intertwiner.federated.wire import answer
from intertwiner_fedchem.flower import engine
from intertwiner_fedchem.flower.messages import blob_of, record_of
from intertwiner_fedchem.flower.transport import GridTransport

NODES = {11: "client-0", 22: "client-1"}
PAYLOAD = Payload(run="run", round=3, arrays={"w": torch.tensor([1 / 3, 2.0])})


@pytest.fixture(autouse=True)
def messages_outside_of_a_run(monkeypatch):
    """Flower's own messages can be made inside a run alone."""

    def message(content, *, dst_node_id, message_type, group_id):
        return SimpleNamespace(content=content, metadata=SimpleNamespace(dst_node_id=dst_node_id))

    monkeypatch.setattr(flwr.app, "Message", message)


class Trained:
    """A client that adds one."""

    def __init__(self):
        self.remembered = {}

    def fit(self, payload):
        arrays = {name: value + 1 for name, value in payload.arrays.items()}
        self.remembered = {"kept": torch.tensor([7.0])}
        return Update(client="", arrays=arrays, num_examples=5)


class Grid:
    """Answers every message once it is asked often enough; `change` sees the answers first."""

    def __init__(self, change=lambda message: message, patience=0):
        self.waiting, self.sent, self.change, self.patience = {}, [], change, patience

    def get_node_ids(self):
        return [11] if self.patience else [11, 22]

    def push_messages(self, messages):
        for message in messages:
            name = NODES[message.metadata.dst_node_id]
            blob = answer({name: Trained()}, blob_of(message.content))
            ticket = f"ticket {len(self.sent)}"
            self.sent.append(ticket)
            self.waiting[ticket] = SimpleNamespace(
                metadata=SimpleNamespace(reply_to_message_id=ticket, node=name),
                content=record_of(blob),
                has_error=lambda: False,
                error=None,
            )
        return self.sent[-len(messages) :]

    def pull_messages(self, tickets):
        if self.patience:
            self.patience -= 1
            return []
        found = [self.change(self.waiting.pop(t)) for t in tickets if t in self.waiting]
        return [message for message in found if message is not None]


def transport(grid: Grid) -> GridTransport:
    return GridTransport(grid, NODES, {"client-0": 5, "client-1": 5})


def replies(grid: Grid, seconds: float = 5.0):
    given = transport(grid)
    given.send(PAYLOAD, ["client-0", "client-1"])
    return given, {r.client: r for r in given.collect(time.monotonic() + seconds)}


def test_arrays_come_back_to_the_bit_and_what_clients_keep_stays_with_the_server():
    given, found = replies(Grid(patience=3))
    assert set(found) == {"client-0", "client-1"}
    assert torch.equal(found["client-0"].update.arrays["w"], PAYLOAD.arrays["w"] + 1)
    assert (found["client-1"].run, found["client-1"].round) == ("run", 3)
    assert given.remembered()["client-0"]["kept"].tolist() == [7.0]
    assert given.clients() == {"client-0": 5, "client-1": 5}


@pytest.mark.fault("F60")
def test_at_the_deadline_nobody_is_waited_for_and_a_late_answer_is_told_from_a_new_one():
    grid = Grid()
    late = {}

    def hold(message):
        if message.metadata.node == "client-1" and not late:
            late["it"] = message
            grid.waiting[message.metadata.reply_to_message_id] = message
            return None
        return message

    grid.change = hold
    given, found = replies(grid, seconds=0.0)
    assert set(found) == {"client-0"}
    given.send(Payload(run="run", round=4, arrays=PAYLOAD.arrays), ["client-0", "client-1"])
    rounds = sorted((r.client, r.round) for r in given.collect(time.monotonic() + 5))
    assert rounds == [("client-0", 4), ("client-1", 3), ("client-1", 4)]


@pytest.mark.fault("F66")
def test_a_node_may_answer_for_its_own_client_alone():
    held = {}

    def swap(message):
        if message.metadata.node == "client-0":
            held["blob"] = message.content
            return message
        message.content = held["blob"]
        return message

    _, found = replies(Grid(swap))
    assert found["client-0"].update is not None
    assert found["client-1"].update is None
    assert "in the name of 'client-0'" in found["client-1"].error


@pytest.mark.fault("F61")
@pytest.mark.parametrize("content", [record_of(b"nonsense"), {}, None])
def test_an_answer_that_cannot_be_read_is_a_failure_with_a_reason(content):
    def spoil(message):
        if message.metadata.node == "client-1":
            message.content = content
        return message

    _, found = replies(Grid(spoil))
    assert found["client-0"].update is not None
    assert found["client-1"].error.startswith("its answer cannot be read")


def test_an_error_of_flower_is_passed_on_in_one_line():
    def fail(message):
        message.has_error = lambda: True
        message.error = SimpleNamespace(reason="<class 'ValueError'>:\n<'x'>")
        return message

    _, found = replies(Grid(fail))
    assert found["client-0"].error == "its node answered with error: <class 'ValueError'>: <'x'>"


def test_waiting_for_nodes_ends_and_names_the_missing():
    assert transport(Grid()).wait(0.0) == []
    assert transport(Grid(patience=1)).wait(0.0) == ["client-1"]


def test_without_flower_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda name: None)
    given = Job(model="m", dataset="d", aggregator="a", out="o")
    with pytest.raises(ConfigError, match=r"intertwiner-fedchem\[flower\]"):
        engine.flower(given, None)
