"""What the processes of one deployment must know, in one file of plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Plan"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """folder: of the deployment, with the job in it. nodes: node id -> client. examples: the
    records of each client. start_s: how long to wait for nodes.
    """

    folder: Path
    examples: Mapping[str, int]
    nodes: Mapping[int, str] = field(default_factory=dict)
    start_s: float = 300.0

    @property
    def path(self) -> Path:
        return self.folder / "plan.json"

    @property
    def job(self) -> Path:
        return self.folder / "job.json"

    @property
    def process(self) -> Path:
        """Has the number of the server's process, once it has begun."""
        return self.folder / "server.pid"

    @property
    def result(self) -> Path:
        """Has the outcome, once there is one."""
        return self.folder / "outcome.json"

    def socket(self, client: str) -> Path:
        """Where the trainer of `client` listens."""
        return self.folder / f"{client}.sock"

    def save(self) -> None:
        nodes = {str(node): name for node, name in self.nodes.items()}
        values = {"examples": dict(self.examples), "nodes": nodes, "start_s": self.start_s}
        self.path.write_text(json.dumps(values))

    @classmethod
    def load(cls, path: Path) -> Plan:
        values = json.loads(path.read_text())
        nodes = {int(node): name for node, name in values.pop("nodes").items()}
        return cls(folder=path.parent, nodes=nodes, **values)
