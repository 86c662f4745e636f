"""A real deployment: a SuperLink and SuperNodes, honest, lying, killed and unknown ones."""

from __future__ import annotations

import json
import socket
import ssl
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from intertwiner.federated.engines import Job
from intertwiner.federated.state import STATE
from intertwiner.federated.transport import InProcess
from intertwiner.registry import load_registry
from intertwiner.training.environment import deterministic
from intertwiner.training.tensors import load_tensors
from intertwiner_fedchem.flower.engine import wait_for_outcome
from intertwiner_fedchem.flower.groups import Group, marked
from intertwiner_fedchem.flower.identities import HOST, make_identities, make_key_pair

pytest.importorskip("flwr", reason="needs the extra flower")

from intertwiner_fedchem.flower.deployment import Deployment

LIAR = Path(__file__).with_name("lying_trainer.py")


def job(out: Path) -> Job:
    return Job(
        model="fedchem/mpnn",
        dataset="fedchem/gfn2-bonds",
        aggregator="fedchem/fedavg",
        out=str(out),
        settings={
            "model": {"width": 6, "edge_hidden": 3},
            "data": {"limit": 60},
            "training": {"batch_size": 8, "threads": 1},
        },
        federation={"clients": 2, "rounds": 3, "local_steps": 2, "deadline_s": 60.0},
        progress=False,
    )


class Dropping(InProcess):
    """The simulator, in which client-1 falls silent after its first round."""

    def collect(self, deadline):
        for reply in super().collect(deadline):
            if reply.round == 0 or reply.client == "client-0":
                yield reply


def simulated(given: Job) -> dict[str, torch.Tensor]:
    registry = load_registry()
    with deterministic(1):
        given.run(registry, Dropping(given.clients(registry)))
    return load_tensors(Path(given.out) / STATE)[0]


def refuses_strangers(deployment: Deployment, folder: Path) -> None:
    """Who trusts another authority, or speaks without TLS, gets nowhere."""
    folder.mkdir()
    context = ssl.create_default_context(cafile=str(make_identities(folder, []).authority))
    address = (HOST, deployment.port)
    with (
        socket.create_connection(address, timeout=60) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(plain, server_hostname=HOST)
    with (
        socket.create_connection(address, timeout=60) as plain,
        suppress(ConnectionResetError),
    ):
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert not plain.recv(4096).startswith(b"HTTP/1.1 200")


def telemetry_is_off(deployment: Deployment) -> None:
    """In every process that runs now."""
    running = marked(deployment.mark)
    assert len(running) >= 5
    assert set(running) <= set(marked("FLWR_TELEMETRY_ENABLED=0"))


@pytest.mark.fault("F60")
@pytest.mark.fault("F61")
@pytest.mark.fault("F66")
@pytest.mark.skipif(sys.platform != "linux", reason="processes are counted through /proc")
def test_nodes_that_lie_die_or_are_unknown_leave_the_bits_of_the_honest_ones(tmp_path):
    given = job(tmp_path / "flower")
    examples = {client.name: client.examples for client in given.clients(load_registry())}
    logs = tmp_path / "flower" / "flower"
    with Deployment(given, examples, logs, trainer=[sys.executable, str(LIAR)]) as deployment:
        deployment.start()
        mallory = Group("mallory", logs / "mallory.log", deployment.environment)
        stranger = deployment.start_node("client-0", mallory, make_key_pair(tmp_path / "mallory"))
        refuses_strangers(deployment, tmp_path / "other")
        telemetry_is_off(deployment)
        outcome = wait_for_outcome(deployment)
        assert stranger.wait(120) != 0
        assert deployment.nodes["client-1"].ended == [-9, -9]
        mallory.end()
    assert not marked(deployment.mark)
    assert not deployment.folder.exists()
    assert "Receiving" not in (logs / "mallory.log").read_text()
    assert "Receiving" in (logs / "client-0.log").read_text()
    assert outcome.finished
    first, second, third = json.loads((tmp_path / "flower" / "rounds.json").read_text())
    assert first["accepted"] == ["client-0", "client-1"]
    assert [(r["client"], r["code"]) for r in second["rejected"]] == [("client-1", "non_finite")]
    assert third["accepted"] == ["client-0"]
    assert third["missing"] == ["client-1"] or "Node Unavailable" in third["failed"]["client-1"]
    assert third["seconds"] < 61 + 60
    arrays = load_tensors(tmp_path / "flower" / STATE)[0]
    expected = simulated(replace(given, out=str(tmp_path / "simulated")))
    names = [name for name in expected if name.startswith("arrays/")]
    assert len(names) > 10
    assert all(torch.equal(arrays[name], expected[name]) for name in names)
