"""Where a federation runs: in this process, or on an engine that a plugin brings.

An engine is a function in the entry-point group `intertwiner.engines` that is called with a `Job`
and gives a `FederationOutcome`. A job is plain values, so that processes elsewhere can open it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

from intertwiner.config import build
from intertwiner.errors import ConfigError
from intertwiner.federated.client import Client
from intertwiner.federated.federation import FederationOutcome, clients_of, federate
from intertwiner.federated.settings import FederationConfig
from intertwiner.federated.transport import Transport
from intertwiner.registry import Entry, Registry
from intertwiner.specs import AggregatorSpec, load_target
from intertwiner.training.folder import RunFolder
from intertwiner.training.settings import TrainingConfig
from intertwiner.training.task import Task, build_config, build_task

__all__ = ["GROUP", "LOCAL", "Engine", "Job", "find_engine"]

GROUP: Final = "intertwiner.engines"
LOCAL: Final = "local"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One federated training as plain values.

    settings: of the sections model, data and training. federation, aggregator_settings: of the
    sections of these names. out: the run folder.
    """

    model: str
    dataset: str
    aggregator: str
    out: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    federation: Mapping[str, Any] = field(default_factory=dict)
    aggregator_settings: Mapping[str, Any] = field(default_factory=dict)
    resume: bool = False
    progress: bool = True

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        return cls(**json.loads(text))

    @property
    def folder(self) -> RunFolder:
        return RunFolder(Path(self.out))

    def rounds(self) -> FederationConfig:
        """The settings of the section federation. Raises `ConfigError` for those that are wrong."""
        return build(FederationConfig, dict(self.federation), "federation")

    def threads(self) -> int:
        """How many threads the job trains with."""
        return build(TrainingConfig, dict(self.settings.get("training", {})), "training").threads

    def run(self, registry: Registry, transport: Transport | None = None) -> FederationOutcome:
        """Serves the rounds in this process; the clients are those of `transport`."""
        task, entry, chosen = self._open(registry)
        return federate(
            task,
            entry,
            self.folder,
            federation=self.rounds(),
            aggregator_settings=chosen,
            resume=self.resume,
            progress=self.progress,
            transport=transport,
        )

    def clients(self, registry: Registry) -> list[Client]:
        """The clients, for processes of their own."""
        task, entry, chosen = self._open(registry)
        return clients_of(task, entry, self.rounds(), chosen)

    def _open(self, registry: Registry) -> tuple[Task, Entry[AggregatorSpec], Any]:
        entry = registry.aggregator(self.aggregator)
        config = load_target(entry.spec.config)
        chosen = build(config, dict(self.aggregator_settings), "aggregator")
        run = build_config(registry, self.model, self.dataset, dict(self.settings))
        return build_task(registry, run), entry, chosen


Engine = Callable[[Job, Registry], FederationOutcome]


def find_engine(name: str) -> Engine:
    """The engine called `name`. Raises `ConfigError` when no installed plugin brings it."""
    if name == LOCAL:
        return Job.run
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        raise ConfigError(
            f"--engine: {name!r} is not installed; there are {', '.join([LOCAL, *sorted(found)])}. "
            "The engine flower comes with: pip install 'intertwiner-fedchem[flower]'"
        )
    engine: Engine = found[name].load()
    return engine
