"""One training step, forward and backward, against torch-geometric's NNConv, batch 64, one thread.

The sets are read from the data folder of MoleculeNet (see the README); the embedded set is always
there.
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
from intertwiner_fedchem.models.mpnn import MPNN

SETS = (("esol", "log_solubility", 11.0), ("lipo", "logd", 18.0), ("gfn2-bonds", "gap", None))
SIZE, BATCHES = 64, 4


def measure(repeats: int) -> Iterator[Row]:
    """A row for every set at hand, for the grouped form, too, and the featuriser's."""
    for name, target, required in SETS:
        try:
            dataset = load_dataset(f"fedchem/{name}")
        except ConfigError:
            continue
        batches = list(islice(Batches(dataset.part("train"), SIZE, shuffle=True).epoch(), BATCHES))
        network = _network(name, "colours")
        naive = NaiveNetwork(network)
        prepared = [naive.features(batch) for batch in batches]
        theirs = _step(
            naive, target, [(b, naive, f) for b, f in zip(batches, prepared, strict=True)]
        )
        for messages, least in (("colours", required), ("bonds", None)):
            ours = _step(network, target, [(b, network, None) for b in batches])
            network = _network(name, "bonds")
            yield compare(
                f"step of 64, {name}, {messages}",
                ours,
                theirs,
                against="NNConv",
                repeats=repeats,
                required=least,
            )


def _network(name: str, messages: str) -> MPNN:
    model = create_model("fedchem/mpnn", dataset=f"fedchem/{name}", messages=messages)
    assert isinstance(model, MPNN)
    return model


def _step(
    module: torch.nn.Module,
    target: str,
    given: list[tuple[Batch, Callable[..., dict[str, Tensor]], object]],
) -> Callable[[], None]:
    def steps() -> None:
        for batch, network, features in given:
            module.zero_grad()
            predicted = network(batch) if features is None else network(batch, features)
            (predicted[target] - batch[target]).square().mean().backward()

    return steps


if __name__ == "__main__":
    main(__doc__ or "", measure)
