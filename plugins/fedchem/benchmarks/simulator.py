"""A round of the simulator against a bare loop over the same clients, batches and steps.

The bare loop has no seeds, no checks, no report and no copies: load weights, train, add up.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch

from intertwiner.benchmark import Row, compare, main
from intertwiner.data import Batches
from intertwiner.federated.arrays import copied, kinds_of
from intertwiner.federated.client import Client
from intertwiner.federated.engines import Job
from intertwiner.federated.rounds import Server
from intertwiner.federated.transport import InProcess
from intertwiner.registry import load_registry
from intertwiner_fedchem.aggregators.mean import FedAvg

STEPS = 20


def measure(repeats: int) -> Iterator[Row]:
    """One row: the network of the benchmark on the embedded molecules, four clients."""
    job = Job(
        model="fedchem/mpnn",
        dataset="fedchem/gfn2-bonds",
        aggregator="fedchem/fedavg",
        out=str(Path(tempfile.gettempdir()) / "unused"),
        settings={"data": {"limit": 1200}, "training": {"batch_size": 64}},
        federation={"clients": 4, "local_steps": STEPS},
    )
    clients = job.clients(load_registry())
    server = _server(clients, job)
    transport = InProcess(clients)
    yield compare(
        f"round of 4 clients x {STEPS} steps, gfn2-bonds",
        lambda: server.round(0, transport),
        lambda: _bare(clients, server),
        against="bare loop",
        repeats=repeats,
        required=0.95,
    )


def _server(clients: list[Client], job: Job) -> Server:
    model = clients[0].model
    server = Server(
        run="benchmark",
        seed=0,
        settings=job.rounds(),
        aggregator=FedAvg(None),
        name="fedchem/fedavg",
        arrays=copied(model.state_dict()),
        kinds=kinds_of(model),
    )
    server.begin()
    return server


def _bare(clients: list[Client], server: Server) -> dict[str, torch.Tensor]:
    """What somebody would write who needs nothing but the result."""
    total: dict[str, torch.Tensor] = {}
    examples = sum(len(client.records) for client in clients)
    for client in clients:
        model, settings = client.model, client.training
        model.load_state_dict(server.arrays)
        model.train()
        optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, fused=True)
        done, epoch = 0, 0
        batches = Batches(client.records, settings.batch_size, shuffle=True)
        while done < STEPS:
            for batch in batches.epoch(epoch):
                optimizer.zero_grad()
                client.objective(batch).backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip or 1e9)
                optimizer.step()
                done += 1
                if done == STEPS:
                    break
            epoch += 1
        for name, value in model.state_dict().items():
            share = value * (len(client.records) / examples)
            total[name] = total[name] + share if name in total else share
    return total


if __name__ == "__main__":
    main(__doc__ or "", measure)
