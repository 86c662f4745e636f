"""A SuperLink and SuperNodes as processes of this machine, over TLS and with keys of their own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from intertwiner.errors import RunError
from intertwiner.federated.engines import Job
from intertwiner_fedchem.flower.bundle import write_bundle
from intertwiner_fedchem.flower.control import answers_in
from intertwiner_fedchem.flower.groups import Group, end_marked
from intertwiner_fedchem.flower.identities import HOST, Identities, make_identities
from intertwiner_fedchem.flower.launcher import TRAINER, write_command
from intertwiner_fedchem.flower.plan import Plan
from intertwiner_fedchem.flower.sockets import short_folder

__all__ = ["Deployment"]

QUIET: Final = {
    "FLWR_TELEMETRY_ENABLED": "0",
    "FLWR_DISABLE_UPDATE_CHECK": "1",
    "FLWR_SUPEREXEC_TASK_POLL_INTERVAL": "0.1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "PYTHONUNBUFFERED": "1",
    "PYTHONWARNINGS": "ignore",
}
"""Of every process: no telemetry, no look for updates, and tasks are taken up soon."""
NAME: Final = "intertwiner"


class Deployment:
    """Every process of one federated run; a context that leaves none of them behind.

    logs: folder for what they print. examples: client -> how many records it has. trainer: words
    that start a trainer, before its three arguments.
    """

    def __init__(
        self,
        job: Job,
        examples: Mapping[str, int],
        logs: Path,
        *,
        start_s: float = 300.0,
        trainer: Sequence[str] = (sys.executable, "-m", "intertwiner_fedchem.flower.trainer"),
    ) -> None:
        self.folder = short_folder()
        self.logs, self.trainer = logs, list(trainer)
        logs.mkdir(parents=True, exist_ok=True)
        self.plan = Plan(folder=self.folder, examples=examples, start_s=start_s)
        self.plan.job.write_text(job.to_json())
        self.identities = self._identities()
        self.port = free_port()
        self.superlink = self._group("superlink")
        self.commands = write_command(self.folder / "bin")
        self.nodes: dict[str, Group] = {name: self._node_group(name) for name in examples}

    def _identities(self) -> Identities:
        keys = self.folder / "keys"
        keys.mkdir()
        return make_identities(keys, list(self.plan.examples))

    def _group(self, name: str) -> Group:
        return Group(name, self.logs / f"{name}.log", self.environment)

    def _node_group(self, name: str) -> Group:
        """Of a node: it finds its trainer's quick command before Flower's own."""
        first = os.pathsep.join([str(self.commands), _path()])
        own = {TRAINER: str(self.plan.socket(name)), "PATH": first}
        return Group(name, self.logs / f"{name}.log", {**self.environment, **own})

    @property
    def environment(self) -> dict[str, str]:
        """Of all processes. Flower keeps its files in the deployment's folder."""
        name, _, home = self.mark.partition("=")
        return {**os.environ, **QUIET, name: home, "PATH": _path()}

    @property
    def mark(self) -> str:
        """What all processes of this deployment, and no others, have in their environment."""
        return f"FLWR_HOME={self.folder / 'home'}"

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def __enter__(self) -> Deployment:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for group in [*self.nodes.values(), self.superlink]:
            group.end(0.0 if kind else 1.0)
        end_marked(self.mark)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Starts everything and the run. Raises `RunError` when the SuperLink does not come up."""
        for name, group in self.nodes.items():
            socket_path = self.plan.socket(name)
            group.start([*self.trainer, str(self.plan.job), name, str(socket_path)])
        self._start_superlink()
        clients = list(self.nodes)
        register = ["supernode", "register"]
        keys = [f"{self.identities.clients[name]}.pub" for name in clients]
        answers = self.control([[*register, key, NAME] for key in keys])
        ids = [int(answer["node-id"]) for answer in answers]
        self.plan = replace(self.plan, nodes=dict(zip(ids, clients, strict=True)))
        self.plan.save()
        for name in clients:
            self.start_node(name, self.nodes[name], self.identities.clients[name])
        bundle = write_bundle(self.folder / "app")
        self.control([["run", str(bundle), NAME, "--run-config", f'plan="{self.plan.path}"']])

    def _start_superlink(self) -> None:
        files = self.identities
        self.superlink.start(
            [
                "flower-superlink",
                *("--host", HOST, "--port", str(self.port)),
                *("--ssl-certfile", str(files.certificate)),
                *("--ssl-keyfile", str(files.key)),
                *("--ssl-ca-certfile", str(files.authority)),
                "--enable-supernode-auth",
                "--disable-runtime-dependency-installation",
            ]
        )
        home = self.folder / "home"
        home.mkdir()
        (home / "config.toml").write_text(
            f'[superlink]\ndefault = "{NAME}"\n\n[superlink.{NAME}]\n'
            f'address = "{self.address}"\nroot-certificates = "{files.authority}"\n'
        )
        deadline = time.monotonic() + self.plan.start_s
        while not _listens(self.port):
            if self.superlink.ended or time.monotonic() > deadline:
                raise RunError(f"the SuperLink did not start; see {self.superlink.log}")
            time.sleep(0.05)

    def start_node(self, name: str, group: Group, key: Path) -> subprocess.Popen[bytes]:
        """Starts a SuperNode that shows `key` and trusts the run's own authority alone."""
        return group.start(
            [
                "flower-supernode",
                *("--superlink", self.address),
                *("--root-certificates", str(self.identities.authority)),
                *("--auth-supernode-private-key", str(key)),
                *("--port", str(free_port())),
                *("--node-config", f'trainer="{self.plan.socket(name)}"'),
            ]
        )

    def control(self, commands: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
        """Commands to the SuperLink. Raises `RunError` with what it said against one."""
        words = [sys.executable, "-m", "intertwiner_fedchem.flower.control", json.dumps(commands)]
        done = subprocess.run(
            words,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=self.plan.start_s,
            check=False,
        )
        answers = answers_in(done.stdout)
        refused = [answer for answer in answers if not answer.get("success")]
        if done.returncode or refused or len(answers) < len(commands):
            last = " ".join((done.stdout + done.stderr).split())[-500:]
            raise RunError(f"the SuperLink refused a command: {last}; see {self.superlink.log}")
        return answers


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def _path() -> str:
    """Where Flower's commands lie, first of all."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
