"""The training loop: short, resumable at any step, and it leaves nothing half done."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.data.batches import Batches
from intertwiner.errors import RunError
from intertwiner.training import session
from intertwiner.training.average import averaged
from intertwiner.training.checkpoint import save_model
from intertwiner.training.environment import (
    deterministic,
    make_fabric,
    records_per_rank,
    seed_step,
    to_precision,
)
from intertwiner.training.folder import RunFolder
from intertwiner.training.objective import Objective, target_spreads
from intertwiner.training.progress import TrainingProgress
from intertwiner.training.settings import TrainingConfig
from intertwiner.training.stopping import StopRequest
from intertwiner.training.task import Task, build_model
from intertwiner.training.validation import selection_column, validate

__all__ = ["Outcome", "learning_rate", "train"]

VALIDATION: Final = 2**62
"""The number of the step, beyond all real ones, that validations draw their random numbers in."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a training ended: `finished`, or stopped on request with its state saved.

    best_loss: lowest value of the column `selected_by`, that of the weights that are kept.
    rank: which of several processes this is; 0 is the one that writes.
    """

    finished: bool
    epochs: int
    steps: int
    seconds: float
    best_loss: float
    selected_by: str
    rank: int


def train(
    task: Task,
    folder: RunFolder,
    *,
    resume: bool = False,
    progress: bool = True,
    label: str = "",
) -> Outcome:
    """Trains the task's model and leaves the run in `folder`.

    label: what the progress bar calls this training, by default the model's name.

    With `resume`, continues a run where its last state stands, to the same bits as if it had
    never stopped. Asked to stop (SIGTERM, Ctrl-C), every process finishes its step, the state is
    saved, and the outcome says so.

    Raises `RunError` when the loss is not finite, naming step and records; the last state stays.
    """
    fabric = make_fabric(task.config.training)
    fabric.launch()
    if fabric.is_global_zero:
        folder.begin(task.config, resume=resume)
    fabric.barrier()
    with deterministic(task.config.training.threads), StopRequest() as stop:
        loop = _Loop(task, folder, fabric, stop)
        if resume and folder.state.exists():
            loop.restore()
        return loop.run(progress, label or task.config.model)


def learning_rate(settings: TrainingConfig, step: int, steps: int) -> float:
    """The learning rate of step `step` (from 0) of `steps`: linear warm-up, then the schedule."""
    peak = settings.learning_rate
    if step < settings.warmup_steps:
        return peak * (step + 1) / settings.warmup_steps
    if settings.schedule == "constant":
        return peak
    share = (step - settings.warmup_steps) / max(1, steps - settings.warmup_steps)
    return peak * 0.5 * (1 + math.cos(math.pi * share))


class _Loop:
    """One training: model, optimiser, batches and counters together."""

    def __init__(self, task: Task, folder: RunFolder, fabric: Fabric, stop: StopRequest) -> None:
        self.task, self.folder, self.fabric, self.stop = task, folder, fabric, stop
        self.settings = task.config.training
        self.training, self.validation = self._batches(shuffle=True), self._batches(shuffle=False)
        self.model = self._prepared_model()
        objective = Objective(
            self.model,
            task.schema,
            target_spreads(task.parts["train"], task.schema),
            self.settings.target_weights,
        )
        self.column = selection_column(self.model, task.schema, self.settings.select_by)
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(
            parameters,
            lr=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
            fused=True,
        )
        self.parameters = parameters
        self.objective = objective
        wrapped, self.optimizer = fabric.setup(objective, optimizer)
        plain = fabric.world_size == 1 and self.settings.precision != "bf16-mixed"
        # Fabric's wrapper casts and synchronises; where it has nothing to do it only takes time.
        self.compute_loss: nn.Module = objective if plain else wrapped
        self.average = averaged(self.model, self.settings.average_decay)
        self.counters = session.Counters()
        self.steps = self.settings.epochs * len(self.training)

    def _batches(self, *, shuffle: bool) -> Batches:
        world_size = self.fabric.world_size
        return Batches(
            self.task.parts["train" if shuffle else "validation"],
            records_per_rank(self.settings.batch_size, world_size),
            shuffle=shuffle,
            seed=self.settings.seed,
            rank=self.fabric.global_rank,
            world_size=world_size,
        )

    def _prepared_model(self) -> nn.Module:
        task = self.task
        model = build_model(
            task.found.model, task.config.model_settings, task.schema, self.settings.seed
        )
        prepare = getattr(model, "prepare", None)
        if prepare is not None:
            plain = Batches(task.parts["train"], self.settings.batch_size, shuffle=False)
            prepare(plain.epoch())
        return model

    def restore(self) -> None:
        """Continues from the state in the folder."""
        self.counters = session.load_state(
            self.folder.state,
            self.task.config,
            self.fabric.world_size,
            self.model,
            self.average,
            self.optimizer.optimizer,
        )

    def run(self, progress: bool, label: str) -> Outcome:
        shown = progress and self.fabric.is_global_zero
        started = time.monotonic() - self.counters.seconds
        with TrainingProgress(label, self.steps, self.counters.total, shown=shown) as bar:
            while self.counters.epoch < self.settings.epochs:
                if not self._epoch(bar, started):
                    return self._outcome(finished=False)
                if self._validated():
                    bar.epoch(self.counters.rows[-1], self.settings.epochs)
        return self._outcome(finished=True)

    def _validated(self) -> bool:
        """Whether the last epoch ended with a validation."""
        rows, epoch = self.counters.rows, self.counters.epoch
        return bool(rows) and rows[-1]["epoch"] == epoch

    def _outcome(self, *, finished: bool) -> Outcome:
        counters = self.counters
        return Outcome(
            finished=finished,
            epochs=counters.epoch,
            steps=counters.total,
            seconds=counters.seconds,
            best_loss=counters.best,
            selected_by=self.column,
            rank=self.fabric.global_rank,
        )

    def _epoch(self, bar: TrainingProgress, started: float) -> bool:
        """One epoch, or its rest; False when a stop was asked for (the state is then saved)."""
        for batch in self._moved(self.training.epoch(self.counters.epoch, self.counters.step)):
            stop = self._step(batch)
            bar.step()
            self.counters.seconds = time.monotonic() - started
            if stop:
                self._save_state()
                return False
            every = self.settings.checkpoint_steps
            if every and self.counters.total % every == 0:
                self._save_state()
        self._finish_epoch(started)
        return True

    def _moved(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        for batch in batches:
            moved = batch if self.fabric.device.type == "cpu" else batch.to(self.fabric.device)
            yield to_precision(moved, self.settings.precision)

    def _step(self, batch: Batch) -> bool:
        """One step on all processes; True when any of them was asked to stop."""
        counters = self.counters
        seed_step(self.settings.seed, counters.total, self.fabric.global_rank)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.settings, counters.total, self.steps)
        loss = self.compute_loss(batch)
        self.fabric.backward(loss)
        norm = self._clip()
        value = float(loss.detach())
        finite = math.isfinite(value) and math.isfinite(norm)
        mean, failed, stop = self._shared(value, not finite, self.stop.requested)
        if failed:
            raise RunError(self._describe_failure(batch, value, norm))
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update()
        counters.step += 1
        counters.total += 1
        counters.loss_sum += mean
        return stop

    def _shared(self, value: float, failed: bool, stop: bool) -> tuple[float, bool, bool]:
        """The mean loss of all processes, and whether any of them failed or was asked to stop."""
        if self.fabric.world_size == 1:
            return value, failed, stop
        mine = torch.tensor([value, failed, stop], dtype=torch.float64, device=self.fabric.device)
        total, failures, stops = self.fabric.all_reduce(mine, reduce_op="sum").tolist()
        return total / self.fabric.world_size, failures > 0, stops > 0

    def _clip(self) -> float:
        """Clips the gradients in place, where they are too large, and returns their norm before."""
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        if not gradients:
            return 0.0
        norm = float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients))))
        limit = self.settings.gradient_clip
        if limit is not None and limit < norm < math.inf:
            torch._foreach_mul_(gradients, limit / norm)
        return norm

    def _describe_failure(self, batch: Batch, value: float, norm: float) -> str:
        names = ", ".join(self._failing(batch)) or "none alone"
        what = f"the loss became {value}" if not math.isfinite(value) else f"a gradient is {norm}"
        state = self.folder.state
        kept = f"the state before is kept in {state}" if state.exists() else "nothing was saved yet"
        return (
            f"{what} in epoch {self.counters.epoch + 1} at step {self.counters.total + 1}; records "
            f"that give it: {names}; {kept}. Check those records, or lower "
            "--training.learning_rate"
        )

    def _failing(self, batch: Batch) -> list[str]:
        """Names of the records whose own loss or gradient is not finite."""
        found = []
        for number, record in enumerate(batch.to_data_list()):
            self.optimizer.zero_grad()
            loss: Float[Tensor, ""] = self.objective(Batch.from_data_list([record]))
            loss.backward()
            finite = (p.grad.isfinite().all() for p in self.parameters if p.grad is not None)
            if not all(chain([loss.isfinite()], finite)):
                found.append(str(record.get("name", f"number {number} of the batch")))
        return found[:10]

    def _finish_epoch(self, started: float) -> None:
        counters = self.counters
        counters.epoch += 1
        last = counters.epoch == self.settings.epochs
        if last or counters.epoch % self.settings.validate_every == 0:
            self._validate(started)
        counters.step, counters.loss_sum = 0, 0.0
        counters.seconds = time.monotonic() - started
        self._save_state()

    def _validate(self, started: float) -> None:
        """A row of figures, and the weights kept if they are the best so far.

        Random numbers of a loss are the same in every validation, so that epochs can be compared
        and a resumed run finds the same figures.
        """
        counters = self.counters
        kept = self.average.module if self.average is not None else self.model
        seed_step(self.settings.seed, VALIDATION, self.fabric.global_rank)
        batches = self._moved(self.validation.epoch())
        validated = validate(self.objective, kept, batches, self.fabric)
        counters.seconds = time.monotonic() - started
        row = {
            "epoch": counters.epoch,
            "step": counters.total,
            "seconds": round(counters.seconds, 3),
            "train/loss": counters.loss_sum / max(1, counters.step),
            **validated,
        }
        counters.rows.append(row)
        if validated[self.column] < counters.best or len(counters.rows) == 1:
            counters.best = min(counters.best, validated[self.column])
            self._save_model(kept)

    def _save_model(self, model: nn.Module) -> None:
        if self.fabric.is_global_zero:
            save_model(
                self.folder.path,
                model,
                self.task.found.model,
                self.task.config.model_settings,
                self.task.schema,
            )

    def _save_state(self) -> None:
        if self.fabric.is_global_zero:
            if self.counters.rows:
                self.folder.write_metrics(self.counters.rows)
            session.save_state(
                self.folder.state,
                self.task.config,
                self.fabric.world_size,
                self.counters,
                self.model,
                self.average,
                self.optimizer.optimizer,
            )
        self.fabric.barrier()
