"""Checking and averaging the updates of four clients against Flower's averaging without checks."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from intertwiner import create_model
from intertwiner.benchmark import Row, compare, main
from intertwiner.federated import RoundContext, Update
from intertwiner.federated.arrays import copied, kinds_of
from intertwiner.federated.checks import Reference, check_update
from intertwiner_fedchem.aggregators.flower import FlowerStrategy
from intertwiner_fedchem.aggregators.mean import FedAvg


def measure(repeats: int) -> Iterator[Row]:
    """One row, for the network of the benchmark: 4 x 0.92 MB."""
    model = create_model("fedchem/mpnn", dataset="fedchem/gfn2-bonds")
    arrays, kinds = copied(model.state_dict()), kinds_of(model)
    updates = [
        Update(
            client=f"client-{number}",
            arrays={n: v + number * 1e-3 for n, v in arrays.items()} | _constant(arrays, kinds),
            num_examples=number + 1,
        )
        for number in range(4)
    ]
    examples = {update.client: update.num_examples for update in updates}
    reference = Reference(arrays=arrays, kinds=kinds, examples=examples)
    context = RoundContext(round=0, expected=(), clients=4, generator=torch.Generator())
    rule, flower = FedAvg(None), FlowerStrategy(lambda strategies: strategies.FedAvg())

    def ours() -> None:
        assert not any(check_update(update, reference) for update in updates)
        rule.aggregate(updates, arrays, {}, context)

    yield compare(
        "checked mean of 4 x 0.92 MB",
        ours,
        lambda: flower.aggregate(updates, arrays, {}, context),
        against="Flower, float64, unchecked",
        repeats=repeats,
    )


def _constant(arrays: dict[str, torch.Tensor], kinds: dict) -> dict[str, torch.Tensor]:
    return {name: arrays[name] for name, kind in kinds.items() if kind != "averaged"}


if __name__ == "__main__":
    main(__doc__ or "", measure)
