"""How hard a set is: scaffolds, how different its clients are, and what guesses achieve.

python scripts/set_figures.py gfn2-bonds [esol ...]
"""

from __future__ import annotations

import sys

import numpy as np

from intertwiner import load_dataset
from intertwiner.federated.partition import dirichlet_partition
from intertwiner_fedchem.benchmark.evaluation import figure_of, labels_of
from intertwiner_fedchem.declarations.datasets import DATASETS
from intertwiner_fedchem.metrics.controls import (
    composition,
    composition_linear,
    scaffold_mean,
    training_mean,
)
from intertwiner_fedchem.splits.heterogeneity import heterogeneity, total_variation
from intertwiner_fedchem.splits.official import official_clients

ALPHAS, SEEDS = (0.1, 0.5, 1.0), 10


def main(name: str) -> None:
    fields = next(spec.targets for spec in DATASETS if spec.name == name)
    dataset = load_dataset(f"fedchem/{name}")
    train, test = dataset.part("train", "official"), dataset.part("test", "official")
    scaffolds, wanted = (np.array([int(r.scaffold) for r in part]) for part in (train, test))
    sizes = np.unique(scaffolds, return_counts=True)[1]
    print(f"{name}: {len(train)} training molecules, {len(sizes)} scaffolds")
    print(f"  of one molecule {(sizes == 1).sum()}, the largest of {sizes.max()}")
    labels, truth = labels_of(fields, train), labels_of(fields, test)
    for alpha in ALPHAS:
        parts = official_clients(scaffolds, 4, alpha)
        print(f"  alpha {alpha}, official: {heterogeneity(scaffolds, parts, labels[:, 0])}")
        drawn = [
            total_variation(scaffolds, dirichlet_partition(scaffolds, 4, alpha, seed, 16))
            for seed in range(SEEDS)
        ]
        print(f"  alpha {alpha}, by scaffold: total variation {min(drawn):.2f} to {max(drawn):.2f}")
    guesses = {
        "training mean": training_mean(labels, len(test)),
        "composition": composition_linear(composition(train), labels, composition(test)),
        "scaffold mean": scaffold_mean(scaffolds, labels, wanted),
    }
    for task, field in enumerate(fields):
        column = slice(task, task + 1)
        found = [
            f"{said} {figure_of((field,), guess[:, column], truth[:, column])[0]:.3f}"
            for said, guess in guesses.items()
        ]
        print(f"  {field.name} [{field.unit}]: {', '.join(found)}")


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        main(argument)
