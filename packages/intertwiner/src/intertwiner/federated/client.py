"""A client: its records, one model that it trains anew in every round, and what it sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from intertwiner.data.batches import Batches
from intertwiner.errors import RunError
from intertwiner.federated.arrays import copied, load_arrays
from intertwiner.federated.seeds import stream_seed
from intertwiner.federated.settings import FederationConfig
from intertwiner.federated.updates import Arrays, Update
from intertwiner.training.environment import seed_all, to_precision
from intertwiner.training.objective import Objective
from intertwiner.training.settings import TrainingConfig

__all__ = ["Client", "ClientContext", "ClientObjective", "Payload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What the server sends: the round (from 0), the run's id, and the global arrays."""

    run: str
    round: int
    arrays: Arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientContext:
    """What a client's own objective may look at.

    model, objective: in training now, with the global weights at the start of the round; call
    `objective(batch)` for the usual loss. arrays: the global ones, not to be changed. steps: how
    many this round has. remembered: tensors of the last round in which this client took part.
    seed: for random numbers of the objective's own, another one for every round and client.
    """

    client: str
    round: int
    model: nn.Module
    objective: Objective
    arrays: Arrays
    records: Sequence[Data]
    steps: int
    remembered: Mapping[str, Tensor]
    seed: int = 0


class ClientObjective(Protocol):
    """What `AggregatorSpec.client_objective(config, context)` gives: the loss of one batch.

    A batch carries `record_numbers` [graphs], the places of its records in `context.records`.
    The objective may also have `after_backward()`, called before each step of the optimiser (to
    correct gradients), `metrics()`, numbers for the report, `aux()`, tensors to send beside the
    weights, and `remember()`, tensors to keep for this client's next round; the last three are
    called after the last step.
    """

    def __call__(self, batch: Batch) -> Tensor: ...


MakeObjective = Callable[[ClientContext], ClientObjective]
_OPTIMIZERS: Final[dict[str, Callable[..., torch.optim.Optimizer]]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
}


@dataclass(slots=True, kw_only=True)
class Client:
    """One client of a simulation. `model` and `objective` may be shared: rounds begin anew."""

    name: str
    records: Sequence[Data]
    model: nn.Module
    objective: Objective
    training: TrainingConfig
    federation: FederationConfig
    make_objective: MakeObjective | None = None
    remembered: dict[str, Tensor] = field(default_factory=dict)

    @property
    def examples(self) -> int:
        return len(self.records)

    def fit(self, payload: Payload) -> Update:
        """Trains the global model on this client's records.

        The same payload gives the same update: seeds come from run, round and client.
        Raises `RunError` when the loss is not finite.
        """
        load_arrays(self.model, payload.arrays)
        self.model.train()
        steps = self._steps()
        loss_of = self._loss(payload, steps)
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = self._optimizer(parameters)
        total = 0.0
        for step, batch in enumerate(self._batches(payload.round, steps)):
            seed_all(self._seed(payload.round, "step", step))
            total += self._step(loss_of, batch, parameters, optimizer)
        return self._update(loss_of, total / steps, steps)

    def _optimizer(self, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
        made: torch.optim.Optimizer = _OPTIMIZERS[self.federation.optimizer](
            parameters,
            lr=self.training.learning_rate,
            weight_decay=self.training.weight_decay,
            fused=True,
        )
        return made

    def _loss(self, payload: Payload, steps: int) -> Any:
        if self.make_objective is None:
            return self.objective
        context = ClientContext(
            client=self.name,
            round=payload.round,
            model=self.model,
            objective=self.objective,
            arrays={name: value.to(self._device()) for name, value in payload.arrays.items()},
            records=self.records,
            steps=steps,
            remembered=self.remembered,
            seed=self._seed(payload.round, "objective"),
        )
        return self.make_objective(context)

    def _step(
        self,
        loss_of: Any,
        batch: Batch,
        parameters: Sequence[nn.Parameter],
        optimizer: torch.optim.Optimizer,
    ) -> float:
        optimizer.zero_grad()
        loss = loss_of(batch)
        loss.backward()
        value = float(loss.detach())
        correct = getattr(loss_of, "after_backward", None)
        if correct is not None:
            correct()
        norm = nn.utils.clip_grad_norm_(parameters, self.training.gradient_clip or float("inf"))
        if not (torch.isfinite(norm) and torch.isfinite(loss.detach())):
            names = ", ".join(map(str, batch.get("name", [])[:5])) or "without names"
            raise RunError(f"loss {value}, gradient {float(norm)} on records {names}")
        optimizer.step()
        return value

    def _steps(self) -> int:
        if self.federation.local_steps is not None:
            return self.federation.local_steps
        return self.federation.local_epochs * len(self._epoch())

    def _epoch(self, seed: int = 0) -> Batches:
        return Batches(self.records, self.training.batch_size, shuffle=True, seed=seed)

    def _batches(self, round_number: int, steps: int) -> Any:
        """So many batches: passes over the records, each in an order of its own."""
        batches = self._epoch(self._seed(round_number, "order"))
        done, epoch = 0, 0
        while done < steps:
            for numbers, batch in zip(batches.numbers(epoch), batches.epoch(epoch), strict=True):
                if done == steps:
                    return
                done += 1
                batch.record_numbers = torch.from_numpy(numbers)
                yield to_precision(batch.to(self._device()), self.training.precision)
            epoch += 1

    def _device(self) -> torch.device:
        return next(self.model.parameters()).device

    def _seed(self, round_number: int, *purpose: str | int) -> int:
        return stream_seed(self.training.seed, *purpose, round_number, self.name)

    def _update(self, loss_of: Any, loss: float, steps: int) -> Update:
        aux, keep, say = (getattr(loss_of, name, dict) for name in ("aux", "remember", "metrics"))
        self.remembered = copied(keep())
        return Update(
            client=self.name,
            arrays=copied(self.model.state_dict()),
            num_examples=self.examples,
            metrics={**say(), "loss": loss, "steps": float(steps)},
            aux={name: copied(arrays) for name, arrays in aux().items()},
        )
