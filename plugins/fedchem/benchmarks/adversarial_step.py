"""One step of FLIT+, forward and backward, against four passes of torch-geometric's NNConv.

Both are given the losses of the global model, which are found once in a round. The other side
repeats the clean pass, and differentiates the power step in all parameters, as code does that
knows nothing of the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import torch
from naive_network import NaiveNetwork
from torch import Tensor
from torch_geometric.data import Batch

from intertwiner import create_model, load_dataset
from intertwiner.benchmark import Row, compare, main
from intertwiner.data import Batches
from intertwiner.errors import ConfigError
from intertwiner.federated.client import ClientContext
from intertwiner.fields import GRAPH, Field, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner.training.objective import Objective
from intertwiner_fedchem.models.mpnn import MPNN
from intertwiner_fedchem.objectives.config import FLITPlusConfig
from intertwiner_fedchem.objectives.inputs import unit_rows
from intertwiner_fedchem.objectives.methods import flit_plus
from intertwiner_fedchem.objectives.reweighting import RunningMean, excess, factor

SETS = (("esol", "log_solubility", 9.0), ("gfn2-bonds", "gap", None))
SIZE, BATCHES = 64, 2
SETTINGS = FLITPlusConfig(gamma=1.0, warm_up=0)


def measure(repeats: int) -> Iterator[Row]:
    """A row for every set at hand."""
    for name, target, required in SETS:
        try:
            records = load_dataset(f"fedchem/{name}").part("train")[: SIZE * BATCHES]
        except ConfigError:
            continue
        batches = list(islice(Batches(records, SIZE, shuffle=False).epoch(), BATCHES))
        for first, batch in enumerate(batches):
            batch.record_numbers = torch.arange(SIZE) + first * SIZE
        model = create_model("fedchem/mpnn", dataset=f"fedchem/{name}")
        assert isinstance(model, MPNN)
        yield compare(
            f"FLIT+ step of 64, {name}",
            _ours(model, target, list(records), batches),
            _naive(model, target, batches),
            against="four passes of NNConv",
            repeats=repeats,
            required=required,
        )


def _ours(model: MPNN, target: str, records: list, batches: list[Batch]) -> Callable[[], None]:
    schema = Schema(
        structure=Structure.BONDS,
        inputs=(),
        targets=(Field(target, GRAPH, Scalar()),),
        species=(),
    )
    context = ClientContext(
        client="one",
        round=1,
        model=model,
        objective=Objective(model, schema, {target: 1.0}),
        arrays={},
        records=records,
        steps=BATCHES,
        remembered={},
    )
    loss_of = flit_plus(SETTINGS, context)

    def steps() -> None:
        for batch in batches:
            model.zero_grad()
            loss_of(batch).backward()

    return steps


def _naive(model: MPNN, target: str, batches: list[Batch]) -> Callable[[], None]:
    naive, generator = NaiveNetwork(model), torch.Generator().manual_seed(0)
    features = [naive.features(batch) for batch in batches]
    known = [(torch.rand(SIZE, 1), torch.rand(SIZE, 1)) for _ in batches]
    mean = RunningMean()

    def rough(batch: Batch, atoms: Tensor, edges: Tensor, ends: Tensor) -> Tensor:
        rows = (model.atom_projector(atoms).detach(), model.bond_projector(edges).detach())
        clean = naive.forward_from(*rows, ends, batch)[target].detach()
        draws = unit_rows(tuple(torch.rand(r.shape, generator=generator) - 0.5 for r in rows))
        trial = tuple(draw.requires_grad_() for draw in draws)
        moved = (row + SETTINGS.xi * step for row, step in zip(rows, trial, strict=True))
        (naive.forward_from(*moved, ends, batch)[target] - clean).square().mean().backward()
        way = unit_rows(tuple(step.grad for step in trial))
        model.zero_grad()
        worst = (row + 2.5 * step for row, step in zip(rows, way, strict=True))
        return (naive.forward_from(*worst, ends, batch)[target] - clean).square()[:, None]

    def steps() -> None:
        for batch, given, (g, v_g) in zip(batches, features, known, strict=True):
            model.zero_grad()
            v = rough(batch, *given)
            local = (naive(batch, given)[target] - batch[target]).square()[:, None]
            w = excess(local, g) + SETTINGS.smoothness * excess(v, v_g)
            phi = factor(w, mean.update(w, torch.ones_like(w)), SETTINGS.gamma)
            (phi * (local + v)).mean().backward()

    return steps


if __name__ == "__main__":
    main(__doc__ or "", measure)
