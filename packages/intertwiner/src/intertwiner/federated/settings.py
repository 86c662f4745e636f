"""Settings of a federated training. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

__all__ = ["FederationConfig"]


@dataclass(frozen=True, kw_only=True)
class FederationConfig:
    """Who trains, how long, and what happens when somebody does not answer.

    Of the settings under `training`, a client uses batch_size, learning_rate (constant),
    weight_decay, gradient_clip, target_weights, seed, precision, accelerator and threads; its
    optimiser is new in every round.

    clients: into how many the training records are divided.
    fraction: share of the clients asked in a round, drawn anew; at least one.
    local_epochs: passes of a client over its records in a round; local_steps, where given, takes
        the place of it and is the same for every client.
    optimizer: of the clients: "adamw", "adam" (weight decay as part of the gradient) or "sgd".
    partition: "random" (equal sizes), "dirichlet" (every group of records is shared out in
        proportions drawn from a Dirichlet distribution), or "package.module:function", called as
        function(records, clients, seed), with `alpha` where it has such an argument, and giving an
        array of record numbers for each client.
    alpha: of the Dirichlet distribution; small values give each client few groups.
    group_by: what makes records a group: a field of theirs (numbers, and lengths of vectors, are
        cut into ten bins) or an attribute such as a scaffold; empty for the first target.
    smallest: least number of records of a client; the partition is drawn again until it holds.
    deadline_s: seconds after which a round goes on without those that have not answered.
    min_clients, min_examples: the quorum: number of sound updates, and share of the examples of
        the clients asked. A round below it is skipped and changes nothing.
    max_skipped: skipped rounds in a row before the run stops.
    processes: worker processes for the clients; with 0 they train in this process, one after the
        other, and a client that hangs or dies takes the run with it.
    max_update_norm: larger updates (norm of the difference from the global weights) are refused.
    """

    clients: Annotated[int, Ge(1)] = 4
    rounds: Annotated[int, Ge(1)] = 10
    fraction: Annotated[float, Gt(0), Le(1)] = 1.0
    local_epochs: Annotated[int, Ge(1)] = 1
    local_steps: Annotated[int, Ge(1)] | None = None
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    partition: str = "random"
    alpha: Annotated[float, Gt(0)] = 0.5
    group_by: str = ""
    smallest: Annotated[int, Ge(1)] = 1
    deadline_s: Annotated[float, Gt(0)] = 3600.0
    min_clients: Annotated[int, Ge(1)] = 1
    min_examples: Annotated[float, Ge(0), Le(1)] = 0.0
    max_skipped: Annotated[int, Ge(1)] = 3
    processes: Annotated[int, Ge(0)] = 0
    max_update_norm: Annotated[float, Gt(0)] | None = None
