"""A whole federated training: partition, rounds, validation, and a run folder like any other."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from torch_geometric.data import Batch, Data

from intertwiner.atomic import write_atomically
from intertwiner.config import build, to_plain
from intertwiner.data.batches import Batches
from intertwiner.data.dataset import Subset
from intertwiner.errors import ConfigError, RunError
from intertwiner.federated.arrays import copied, kinds_of, load_arrays, moved_buffers
from intertwiner.federated.client import Client, MakeObjective
from intertwiner.federated.partition import partition
from intertwiner.federated.processes import Processes
from intertwiner.federated.reports import RoundReport
from intertwiner.federated.rounds import Server, asked_clients, fewest_updates
from intertwiner.federated.settings import FederationConfig
from intertwiner.federated.state import (
    STATE,
    FederationState,
    load_federation,
    save_federation,
)
from intertwiner.federated.transport import InProcess, Transport
from intertwiner.registry import Entry
from intertwiner.specs import AggregatorSpec, load_target
from intertwiner.training.checkpoint import save_model
from intertwiner.training.environment import deterministic, seed_step, to_precision
from intertwiner.training.folder import RunFolder
from intertwiner.training.loop import VALIDATION
from intertwiner.training.objective import Objective, target_spreads
from intertwiner.training.progress import TrainingProgress
from intertwiner.training.stopping import StopRequest
from intertwiner.training.task import Task, build_model, config_to_plain
from intertwiner.training.validation import selection_column, validate

__all__ = ["FederationOutcome", "clients_of", "federate"]

REPORTS: Final = "rounds.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FederationOutcome:
    """How a federation ended. `problems`: a line for everything that was not as it should be."""

    finished: bool
    rounds: int
    steps: int
    seconds: float
    best: float
    selected_by: str
    clients: dict[str, int]
    problems: tuple[str, ...]


def federate(
    task: Task,
    aggregator: Entry[AggregatorSpec],
    folder: RunFolder,
    *,
    federation: FederationConfig | None = None,
    aggregator_settings: Any = None,
    resume: bool = False,
    progress: bool = True,
    transport: Transport | None = None,
) -> FederationOutcome:
    """Trains the task's model over clients and leaves a run folder that `load_run` opens.

    The training records are divided; the validation part stays with the server. A model's
    `prepare` sees all training records once, as a common calibration, before the first round.
    transport: of another engine, whose clients are then those of `federation`; by default all
    clients are in this process.

    With `resume`, continues at the round after the last whole one, to the same bits on a CPU.
    Raises `ConfigError` for settings that cannot be, `RunError` when too many rounds in a row
    have no quorum or the aggregator gives something that is no model.
    """
    settings = federation or FederationConfig()
    with deterministic(task.config.training.threads), StopRequest() as stop:
        run = _Federation(task, aggregator, folder, settings, aggregator_settings, transport)
        run.begin(resume=resume)
        try:
            return run.run(stop, progress=progress)
        finally:
            run.transport.close()


def clients_of(
    task: Task,
    aggregator: Entry[AggregatorSpec],
    federation: FederationConfig,
    aggregator_settings: Any = None,
) -> list[Client]:
    """The clients that `federate` would train in this process, for an engine that has each of them
    in a process of its own. Call it, and `Client.fit`, with `deterministic` threads.
    """
    folder = RunFolder(Path(os.devnull))
    run = _Federation(task, aggregator, folder, federation, aggregator_settings, InProcess([]))
    return run.clients()


class _Federation:
    """One federated training: server, clients and counters together."""

    def __init__(
        self,
        task: Task,
        aggregator: Entry[AggregatorSpec],
        folder: RunFolder,
        settings: FederationConfig,
        chosen: Any,
        transport: Transport | None,
    ) -> None:
        self.task, self.entry, self.folder, self.settings = task, aggregator, folder, settings
        self.training = task.config.training
        self.chosen = chosen or build(load_target(aggregator.spec.config), {}, "aggregator")
        self.device = _device(self.training.accelerator)
        self.model = self._prepared()
        self.objective = Objective(
            self.model,
            task.schema,
            target_spreads(task.parts["train"], task.schema),
            self.training.target_weights,
        )
        self.column = selection_column(self.model, task.schema, self.training.select_by)
        self.shares = self._shares()
        self.fingerprint = self._fingerprint()
        self.transport = transport or self._own_transport()
        self.server = Server(
            run=self._run_id(),
            seed=self.training.seed,
            settings=settings,
            aggregator=load_target(aggregator.spec.target)(self.chosen),
            name=aggregator.id,
            arrays=copied(self.model.state_dict()),
            kinds=kinds_of(self.model, self._moved()),
            needs=aggregator.spec.needs,
        )
        self.state = FederationState(arrays=self.server.arrays)
        self._check_aggregator()

    def _check_aggregator(self) -> None:
        """Refuses settings that the aggregator cannot work with, before anything is trained."""
        fewest = fewest_updates(self.server.aggregator)
        asked = asked_clients(self.settings, self.settings.clients)
        if asked < fewest:
            raise ConfigError(
                f"aggregator {self.entry.id} needs {fewest} updates or more, a round asks {asked} "
                f"of {self.settings.clients} clients; raise --federation.clients or "
                "--federation.fraction, or take another aggregator"
            )
        check = getattr(self.server.aggregator, "check", None)
        if check is not None:
            check(self.settings, self.training)

    def _prepared(self) -> nn.Module:
        task = self.task
        model = build_model(
            task.found.model, task.config.model_settings, task.schema, self.training.seed
        )
        prepare = getattr(model, "prepare", None)
        if prepare is not None:
            prepare(Batches(task.parts["train"], self.training.batch_size, shuffle=False).epoch())
        model = model.double() if self.training.precision == "64-true" else model
        return model.to(self.device)

    def _moved(self) -> set[str]:
        """Buffers that a step of training changes."""
        batches = Batches(self.task.parts["train"], self.training.batch_size, shuffle=False)
        return moved_buffers(self.model, self.objective, next(self._on_device(batches)))

    def _on_device(self, batches: Batches) -> Iterator[Batch]:
        for batch in batches.epoch():
            yield to_precision(batch.to(self.device), self.training.precision)

    def _shares(self) -> list[Sequence[Data]]:
        records = self.task.parts["train"]
        targets = self.task.schema.targets
        first = targets[0].name if targets else ""
        parts = partition(records, self.settings, self.training.seed, first)
        return [Subset(records, part) for part in parts]

    def clients(self) -> list[Client]:
        """The clients of the simulation; they share one model, which every round sets anew."""
        width = len(str(len(self.shares) - 1))
        return [
            Client(
                name=f"client-{number:0{width}d}",
                records=share,
                model=self.model,
                objective=self.objective,
                training=self.training,
                federation=self.settings,
                make_objective=self._own_objective(),
            )
            for number, share in enumerate(self.shares)
        ]

    def _own_transport(self) -> Transport:
        clients, count = self.clients(), self.settings.processes
        return Processes(clients, count) if count else InProcess(clients)

    def _own_objective(self) -> MakeObjective | None:
        text = self.entry.spec.client_objective
        return None if text is None else partial(load_target(text), self.chosen)

    def _run_id(self) -> str:
        return hashlib.sha256(json.dumps(self._plain(), sort_keys=True).encode()).hexdigest()[:16]

    def _plain(self) -> dict[str, Any]:
        """The settings of the run, as they lie in `config.yaml`."""
        return {
            **config_to_plain(self.task.config),
            "aggregator_id": self.entry.id,
            "aggregator": to_plain(self.chosen),
            "federation": to_plain(self.settings),
        }

    def _fingerprint(self) -> list[int]:
        """Sizes of the clients' shares, and a digest of which records they are."""
        sha256 = hashlib.sha256()
        for share in self.shares:
            sha256.update(",".join(str(record.get("name", "")) for record in share).encode())
        return [*map(len, self.shares), int.from_bytes(sha256.digest()[:6], "big")]

    def begin(self, *, resume: bool) -> None:
        """Makes the folder, or takes up the state in it."""
        self.folder.begin(self.task.config, resume=resume, more=self._plain())
        path = self.folder.path / STATE
        if not (resume and path.exists()):
            self.server.begin()
            return
        self.state = load_federation(path, self._plain(), self.fingerprint)
        self.server.arrays, self.server.state = self.state.arrays, self.state.aggregator
        self.transport.remember(self.state.remembered)

    def run(self, stop: StopRequest, *, progress: bool) -> FederationOutcome:
        started = time.monotonic() - self.state.seconds
        rounds, label = self.settings.rounds, f"{self.task.config.model}, {self.entry.spec.name}"
        with TrainingProgress(label, rounds, self.state.next_round, shown=progress) as bar:
            while self.state.next_round < rounds and not stop.requested:
                report = self.server.round(self.state.next_round, self.transport)
                self._finish(report, started)
                bar.step()
                bar.say(f"round {report.round + 1}: {line}" for line in report.problems())
                bar.epoch(self.state.rows[-1], rounds, "round")
                self._check_skipped()
        return self._outcome()

    def _finish(self, report: RoundReport, started: float) -> None:
        """Validates, keeps the best model, and saves everything after one round."""
        state = self.state
        state.skipped = state.skipped + 1 if report.skipped else 0
        state.arrays, state.aggregator = self.server.arrays, self.server.state
        state.remembered = self.transport.remembered()
        state.seconds = time.monotonic() - started
        state.steps += sum(report.steps.values())
        row = self._row(report)
        report.metrics |= {name: row[name] for name in row if name.startswith("validation")}
        state.reports.append(report.to_json())
        state.rows.append(row)
        self.folder.write_metrics(state.rows)
        if row[self.column] < state.best or len(state.rows) == 1:
            state.best = min(state.best, row[self.column])
            self._save_model()
        save_federation(self.folder.path / STATE, state, self._plain(), self.fingerprint)
        text = json.dumps(state.reports, indent=1) + "\n"
        write_atomically(self.folder.path / REPORTS, [text.encode()])

    def _row(self, report: RoundReport) -> dict[str, Any]:
        """A line of `metrics.csv`: the round stands under "epoch"."""
        losses = [report.losses[name] * report.weights[name] for name in report.losses]
        seed_step(self.training.seed, VALIDATION, 0)
        load_arrays(self.model, self.server.arrays)
        batches = Batches(self.task.parts["validation"], self.training.batch_size, shuffle=False)
        return {
            "epoch": report.round + 1,
            "step": self.state.steps,
            "seconds": round(self.state.seconds, 3),
            "train/loss": sum(losses) if losses else float("nan"),
            **validate(self.objective, self.model, self._on_device(batches)),
        }

    def _save_model(self) -> None:
        load_arrays(self.model, self.server.arrays)
        config, found = self.task.config, self.task.found
        save_model(
            self.folder.path, self.model, found.model, config.model_settings, self.task.schema
        )

    def _check_skipped(self) -> None:
        if self.state.skipped >= self.settings.max_skipped:
            last = self.state.reports[-1]["skipped"]
            raise RunError(
                f"{self.folder.path}: {self.state.skipped} rounds in a row without a quorum "
                f"({last}); the state is saved. Bring the clients back and add --resume, or lower "
                "--federation.min_clients and --federation.min_examples"
            )

    def _outcome(self) -> FederationOutcome:
        problems = [
            f"round {report['round'] + 1}: {line}"
            for report in self.state.reports
            for line in report["problems"]
        ]
        return FederationOutcome(
            finished=self.state.next_round >= self.settings.rounds,
            rounds=self.state.next_round,
            steps=self.state.steps,
            seconds=self.state.seconds,
            best=self.state.best,
            selected_by=self.column,
            clients=dict(self.transport.clients()),
            problems=tuple(problems),
        )


def _device(accelerator: str) -> torch.device:
    """Where clients in this process train: a GPU if there is one and the settings let it."""
    gpu = accelerator != "cpu" and torch.cuda.is_available()
    return torch.device("cuda" if gpu else "cpu")
