"""What the training loop costs beside the barest loop in plain torch, on the same small model."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from intertwiner.benchmark import Row, compare, main
from intertwiner.config import DataConfig
from intertwiner.data import Dataset
from intertwiner.data.batches import Batches
from intertwiner.fields import GRAPH, NODE, Field, Label, Point, Scalar, Structure
from intertwiner.hookspecs import hookimpl
from intertwiner.registry import Registry
from intertwiner.schema import Schema
from intertwiner.specs import DatasetSpec, ModelSpec
from intertwiner.training.folder import RunFolder
from intertwiner.training.loop import train
from intertwiner.training.task import Task, build_config, build_model, build_task

EPOCHS, BATCH, RECORDS = 1, 32, 9600
LARGEST_OVERHEAD = 1.15


@dataclass(frozen=True, kw_only=True)
class NetConfig:
    """width: of the two hidden layers."""

    width: int = 256


class Net(nn.Module):
    """The mean over atoms of a two-layer network on distances: a few milliseconds a step."""

    def __init__(self, config: NetConfig, schema: Schema) -> None:
        super().__init__()
        sizes = (4, config.width, config.width, 1)
        layers = [nn.Linear(*pair) for pair in itertools.pairwise(sizes)]
        self.layers = nn.ModuleList(layers)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        x = torch.cat([batch.pos, batch.z[:, None]], dim=1)
        for layer in self.layers[:-1]:
            x = nn.functional.silu(layer(x))
        sums = x.new_zeros(batch.num_graphs).index_add(0, batch.batch, self.layers[-1](x)[:, 0])
        return {"extent": sums}


def clouds(config: DataConfig) -> Dataset:
    """Clouds of 16 points and their extent."""
    generator = torch.Generator().manual_seed(0)
    records = []
    for number in range(RECORDS):
        pos = torch.randn(16, 3, generator=generator)
        z = torch.ones(16, dtype=torch.long)
        extent = pos.square().mean().reshape(1)
        records.append(Data(pos=pos, z=z, extent=extent, name=str(number), num_nodes=16))
    numbers = torch.arange(RECORDS).numpy()
    split = {"train": numbers, "validation": numbers[:BATCH], "test": numbers[:BATCH]}
    return Dataset(records, {"random": split})


def registry() -> Registry:
    """A registry of this model and these clouds alone."""
    inputs = (Field("pos", NODE, Point(), "angstrom"), Field("z", NODE, Label()))
    extent = Field("extent", GRAPH, Scalar(), "angstrom^2")
    declared = ModuleType("declared")

    def intertwiner_models() -> Iterable[ModelSpec]:
        yield ModelSpec(
            name="net",
            summary="",
            target=f"{__name__}:Net",
            config=f"{__name__}:NetConfig",
            reads=Structure.ATOMS,
            inputs=inputs,
            outputs=(extent,),
            symmetry=None,
        )

    def intertwiner_datasets() -> Iterable[DatasetSpec]:
        yield DatasetSpec(
            name="clouds",
            summary="",
            target=f"{__name__}:clouds",
            config="intertwiner.config:DataConfig",
            gives=Structure.ATOMS,
            provides=inputs,
            targets=(extent,),
            default_targets=("extent",),
            licence="MIT",
            synthetic=f"{__name__}:clouds",
        )

    for hook in (intertwiner_models, intertwiner_datasets):
        setattr(declared, hook.__name__, hookimpl(hook))
    return Registry.from_modules({"bench": declared})


def make_task(**training: object) -> Task:
    defaults = {"epochs": EPOCHS, "batch_size": BATCH, "accelerator": "cpu"}
    settings = {"training": {**defaults, **training}}
    found = registry()
    return build_task(found, build_config(found, "net", "clouds", settings))


def ours(task: Task) -> None:
    with tempfile.TemporaryDirectory() as folder:
        train(task, RunFolder(Path(folder) / "run"), progress=False)


def bare(task: Task, records: Sequence[Data]) -> None:
    """The same batches, model, loss and optimiser, and nothing else."""
    model = build_model(task.found.model, task.config.model_settings, task.schema)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.0)
    for epoch in range(EPOCHS):
        for batch in Batches(records, BATCH, shuffle=True).epoch(epoch):
            loss = (model(batch)["extent"] - batch.extent).square().mean()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()


def measure(repeats: int) -> Iterator[Row]:
    required = 1 / LARGEST_OVERHEAD
    cases = {
        "training loop as shipped (clipping, averaging, checks)": {},
        "training loop without clipping and averaging": {
            "average_decay": 0.0,
            "gradient_clip": None,
        },
    }
    for name, settings in cases.items():
        task = make_task(**settings)
        records = task.parts["train"]

        def run_ours(task: Task = task) -> None:
            ours(task)

        def run_bare(task: Task = task, records: Sequence[Data] = records) -> None:
            bare(task, records)

        yield compare(
            name, run_ours, run_bare, against="bare torch", repeats=repeats, required=required
        )


if __name__ == "__main__":
    main(__doc__ or "", measure)
