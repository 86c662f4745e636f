"""Made-up molecules of the same fields, in milliseconds and without RDKit: chains with rings.

Their labels are simple sums over atoms and bonds: they mean nothing, but can be learned.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from intertwiner.data import Dataset
from intertwiner.fields import Field, Label
from intertwiner_fedchem.data.codes import atom_code, bond_code
from intertwiner_fedchem.data.graph import Graph
from intertwiner_fedchem.data.molecules import Molecules, make_dataset

__all__ = ["synthetic_dataset"]


def synthetic_dataset(fields: Sequence[Field], count: int, seed: int) -> Dataset:
    """`count` molecules with all targets; labels of two classes have some missing."""
    random = np.random.default_rng(seed)
    drawn = [_molecule(random) for _ in range(count)]
    graphs = [graph for graph, _ in drawn]
    rings = np.array([ring for _, ring in drawn], dtype=np.int64)
    amounts = np.array([_amount(graph) for graph in graphs])
    labels = {field.name: _labels(field, amounts, random) for field in fields}
    names = [f"synthetic {number}" for number in range(count)]
    molecules = Molecules(graphs, names, rings, rings // 2, np.arange(count), labels)
    return make_dataset(molecules, fields, (), seed)


def _molecule(random: np.random.Generator) -> tuple[Graph, int]:
    """A chain of 2 to 12 atoms, in half of the cases closed to a ring; and the ring's size."""
    count = int(random.integers(2, 13))
    closed = count > 2 and bool(random.integers(2))
    pairs = [(atom, atom + 1) for atom in range(count - 1)] + ([(0, count - 1)] if closed else [])
    orders = random.integers(0, 3, size=len(pairs))
    elements = random.integers(0, 4, size=count)
    degrees = np.bincount(np.array(pairs).ravel(), minlength=count)
    atoms = [
        atom_code((int(element), int(degree), 0, 0, 0, 2, 0, 4 - int(degree)))
        for element, degree in zip(elements, degrees, strict=True)
    ]
    bonds = [bond_code((int(order), 0, int(closed), 0)) for order in orders]
    ends = [way for first, last in pairs for way in ((first, last), (last, first))]
    return (
        Graph(
            np.array(atoms, dtype=np.int64),
            np.array(ends, dtype=np.int64),
            np.repeat(np.array(bonds, dtype=np.int64), 2),
        ),
        count if closed else 0,
    )


def _amount(graph: Graph) -> float:
    return float((graph.atom_code % 44).sum() - (graph.bond_code % 5).sum())


def _labels(
    field: Field, amounts: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    noisy = amounts + random.normal(size=len(amounts))
    if not isinstance(field.rep, Label):
        return noisy
    classes = (noisy > np.median(noisy)).astype(np.float64)
    return np.where(random.random(len(noisy)) < 0.1, np.nan, classes)
