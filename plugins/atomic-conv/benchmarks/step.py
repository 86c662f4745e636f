"""A training step of the published network beside two other orders of the same sums.

Each step is forward, backward and a fused Adam, with dropout; ours includes joining the kept
graphs of the batch, the others find their lists ready.
`python benchmarks/step.py [--json] [--repeats N] [--threads N]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from complexes import complexes, source
from orders import dense_lists, energies, legacy_lists
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.benchmark import Row, compare, main
from intertwiner.data.collate import collate
from intertwiner.fields import GRAPH, Field, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner_atomic_conv.config import CoreConfig
from intertwiner_atomic_conv.model import AtomicConvNetwork, build_network

__all__ = ["make_model", "measure", "our_step"]

SCHEMA = Schema(
    structure=Structure.COMPLEX, inputs=(), targets=(Field("pK", GRAPH, Scalar(), "pK"),)
)
Step = Callable[[], Tensor]


def measure(repeats: int) -> Iterator[Row]:
    """Batches of 8 (7 angstrom pockets), 24 and 128 (12 angstrom)."""
    what = "FEP benchmark complexes" if source() else "generated pockets"
    cases = (
        (8, 7.0, True, 60.0),
        (24, 12.0, False, 5.0),
        (128, 12.0, False, 15.0),
    )
    for batch, radius, legacy, required in cases:
        records = complexes(batch, radius)
        yield compare(
            f"training step, core, batch {batch}, {radius:.0f} angstrom, {what}",
            our_step(records),
            other_step(records, legacy=legacy),
            against="legacy order" if legacy else "dense interface-only",
            repeats=repeats,
            required=required,
        )


def make_model() -> AtomicConvNetwork:
    """The preset `core`, in training mode."""
    torch.manual_seed(0)
    return build_network(CoreConfig(), SCHEMA).train()


def our_step(records: Sequence[Data]) -> Step:
    """A step from records whose graphs are kept."""
    model = make_model()
    return _step(model, lambda: model(collate(records))["pK"])


def other_step(records: Sequence[Data], *, legacy: bool) -> Step:
    """A step from ready lists."""
    model = make_model()
    lists = (legacy_lists if legacy else dense_lists)(model, records)

    def predict() -> Tensor:
        return energies(model, lists, legacy=legacy).squeeze(1) + model.offset

    return _step(model, predict)


def _step(model: AtomicConvNetwork, predict: Step) -> Step:
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=2e-3, fused=True)

    def step() -> Tensor:
        loss = 0.5 * (predict() - 6.0).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss

    return step


if __name__ == "__main__":
    main(__doc__ or "", measure)
