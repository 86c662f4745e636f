"""The three fixed divisions of the molecules, as ``uint8 [molecules]``: see ``PARTS``.

A molecule's displaced geometry is stored beside its relaxed one, so both are always on one side.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

PARTS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
TRAIN_SHARE = 0.8
VALIDATION_SHARE = 0.1
LARGEST_TRAINING_SIZE = 6
"""In the ``size`` split, molecules with more heavy atoms are the test set."""

Split = NDArray[np.uint8]


def random_split(smiles: Sequence[str]) -> Split:
    """Divide 80/10/10 by the SHA-256 of the canonical SMILES, molecule by molecule."""
    shares = np.array([_uniform(text) for text in smiles])
    edges = [TRAIN_SHARE, TRAIN_SHARE + VALIDATION_SHARE]
    return np.asarray(np.digitize(shares, edges), dtype=np.uint8)


def formula_split(smiles: Sequence[str]) -> Split:
    """Divide 80/10/10 so that isomers stay together.

    Formulas are taken in the order of their SHA-256 and fill the parts in turn: training until it
    holds its share, then validation, then test.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(smiles):
        groups[formula(text)].append(index)
    split = np.full(len(smiles), TEST, dtype=np.uint8)
    placed = 0
    for name in sorted(groups, key=_uniform):
        before = placed / len(smiles)
        if before < TRAIN_SHARE:
            split[groups[name]] = TRAIN
        elif before < TRAIN_SHARE + VALIDATION_SHARE:
            split[groups[name]] = VALIDATION
        placed += len(groups[name])
    return split


def size_split(smiles: Sequence[str]) -> Split:
    """Train and validate on at most six heavy atoms, 90/10 by SHA-256; test on seven."""
    split = np.where(random_split(smiles) == VALIDATION, VALIDATION, TRAIN).astype(np.uint8)
    large = [Chem.MolFromSmiles(text).GetNumAtoms() > LARGEST_TRAINING_SIZE for text in smiles]
    split[np.array(large, dtype=bool)] = TEST
    return split


def formula(smiles: str) -> str:
    """Return the molecular formula in Hill order, hydrogens included."""
    return str(CalcMolFormula(Chem.MolFromSmiles(smiles)))


def _uniform(text: str) -> float:
    """Map a string to [0, 1) through the first 52 bits of its SHA-256."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:13], 16) / 16**13
