"""Where and how a training runs: processes, devices, threads, random numbers, determinism."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning_fabric import Fabric
from torch_geometric.data import Batch

from intertwiner.errors import ConfigError
from intertwiner.training.settings import TrainingConfig

__all__ = [
    "deterministic",
    "make_fabric",
    "records_per_rank",
    "seed_all",
    "seed_step",
    "step_seed",
    "to_precision",
]


def make_fabric(settings: TrainingConfig) -> Fabric:
    """The Fabric that places model and data. Under torchrun its number of processes counts."""
    devices = int(os.environ.get("LOCAL_WORLD_SIZE", settings.devices))
    nodes = int(os.environ.get("GROUP_WORLD_SIZE", 1))
    with warnings.catch_warnings():
        # Fabric remarks on every free GPU or job scheduler it sees; the settings decide.
        warnings.simplefilter("ignore")
        return Fabric(
            accelerator=settings.accelerator,
            devices=devices,
            num_nodes=nodes,
            strategy="ddp" if devices * nodes > 1 else "auto",
            precision=settings.precision,
        )


def records_per_rank(batch_size: int, world_size: int) -> int:
    """Records of one step on each rank. Raises `ConfigError` when they cannot be shared evenly."""
    if batch_size % world_size:
        raise ConfigError(
            f"training.batch_size: {batch_size} cannot be shared evenly by {world_size} processes"
        )
    return batch_size // world_size


def step_seed(seed: int, step: int, rank: int) -> int:
    """The seed of all random numbers (dropout, noise) drawn in one step on one rank.

    Every step starts from its own seed, so that a resumed run needs no state of a generator.
    """
    mixed = seed * 0x9E3779B97F4A7C15 + step * 0xBF58476D1CE4E5B9 + rank * 0x94D049BB133111EB
    return mixed % 2**63


def seed_step(seed: int, step: int, rank: int) -> None:
    """Starts the random numbers of one step on one rank, on the CPU and on GPUs in use."""
    seed_all(step_seed(seed, step, rank))


def seed_all(seed: int) -> None:
    """Starts all random numbers from `seed`, on the CPU and on GPUs in use.

    Not `torch.manual_seed`: without a GPU that one keeps a stack trace of every call.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


def to_precision(batch: Batch, precision: str) -> Batch:
    """The batch in float64 when that is the precision of the run, else as it is."""
    if precision != "64-true":
        return batch
    return batch.apply(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)


@contextmanager
def deterministic(threads: int) -> Iterator[None]:
    """Bit-reproducible arithmetic, and the caller's settings and random numbers left as found.

    threads: for torch on the CPU; 0 leaves them.
    """
    before = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    count = torch.get_num_threads()
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if threads:
        torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)
        torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
        torch.set_num_threads(count)
