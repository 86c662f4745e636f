"""Random molecules with labels that transform as the real ones do, made in milliseconds.

The labels are simple formulas in positions and elements: energies are sums over pairs, forces
their exact gradient, the dipole comes from charges that sum to zero. They mean nothing, but they
are smooth, learnable, and rotate with the molecule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from intertwiner.data import Dataset
from intertwiner.data.splits import random_split
from intertwiner.fields import Field
from intertwiner_atoms.molecules import Molecules, make_dataset
from intertwiner_atoms.quantities import GFN2_TARGETS, QM7_TARGETS, QM9_TARGETS, names
from intertwiner_atoms.tensors import irreps_from_six

__all__ = ["gfn2_small", "npz_molecules", "qm7", "qm9"]

Array = NDArray[np.float64]
FRACTIONS: Final = {"train": 0.8, "validation": 0.1, "test": 0.1}
DEBYE_PER_E_ANGSTROM: Final = 4.80320471
SPACING: Final = 1.5
"""Distance in angstrom between the places of a grid on which the atoms are put."""


def gfn2_small(count: int, seed: int) -> Dataset:
    """Molecules of H, C, N, O, F with every target of `gfn2-small`."""
    return _dataset(count, seed, (1, 6, 7, 8, 9), GFN2_TARGETS, ("random", "formula", "size"))


def npz_molecules(count: int, seed: int) -> Dataset:
    """Molecules of H, C, N, O with every target of `npz-molecules`."""
    return _dataset(count, seed, (1, 6, 7, 8), GFN2_TARGETS, ("random",))


def qm7(count: int, seed: int) -> Dataset:
    """Molecules of H, C, N, O, S with QM7's target."""
    return _dataset(count, seed, (1, 6, 7, 8, 16), QM7_TARGETS, ("random",))


def qm9(count: int, seed: int) -> Dataset:
    """Molecules of H, C, N, O, F with every target of QM9."""
    return _dataset(count, seed, (1, 6, 7, 8, 9), QM9_TARGETS, ("random",))


def _dataset(
    count: int,
    seed: int,
    elements: Sequence[int],
    targets: tuple[Field, ...],
    schemes: tuple[str, ...],
) -> Dataset:
    random = np.random.default_rng(seed)
    sizes = random.integers(3, 13, size=count)
    z = [random.choice(elements, size=size).astype(np.int64) for size in sizes]
    pos = [_positions(int(size), random) for size in sizes]
    labels = [_labels(*molecule) for molecule in zip(z, pos, strict=True)]
    wanted = names(targets)
    per_atom = [field.name for field in targets if field.site == "node"]
    joined: dict[str, Callable[[list[Array]], Array]] = {
        name: np.concatenate if name in per_atom else np.stack for name in wanted
    }
    columns = {name: join([label[name] for label in labels]) for name, join in joined.items()}
    molecules = Molecules(
        n_atoms=sizes.astype(np.int64),
        z=np.concatenate(z),
        pos=np.concatenate(pos),
        names=[f"synthetic {index}" for index in range(count)],
        node_labels={name: columns[name] for name in wanted if name in per_atom},
        graph_labels={name: columns[name] for name in wanted if name not in per_atom},
    )
    return make_dataset(molecules, dict.fromkeys(schemes, random_split(count, FRACTIONS, seed)))


def _positions(size: int, random: np.random.Generator) -> Array:
    """Places of a cubic grid, shaken: no two atoms come nearer than 1 angstrom."""
    places = np.argwhere(np.ones((3, 3, 3)))[random.permutation(27)[:size]]
    shaken = SPACING * places + random.uniform(-0.14, 0.14, size=(size, 3))
    centred: Array = shaken - shaken.mean(axis=0)
    return centred


def _labels(z: NDArray[np.int64], pos: Array) -> Mapping[str, Array]:
    """Every label any of the datasets has, for one molecule."""
    arms = pos[:, None] - pos[None]
    lengths = np.linalg.norm(arms, axis=-1)
    np.fill_diagonal(lengths, np.inf)
    decay = np.exp(-lengths)
    weight = np.sqrt(z)
    pull = (weight[:, None] * weight * decay / lengths)[..., None] * arms
    charges = 0.1 * (weight - weight.mean())
    energy = np.asarray(0.5 * (weight[:, None] * weight * decay).sum() - 2.0 * z.sum())
    spread = np.einsum("n,ni,nj->ij", weight, pos, pos)
    tensor = irreps_from_six(spread[(0, 0, 1, 0, 1, 2), (0, 1, 1, 2, 2, 2)])
    dipole = DEBYE_PER_E_ANGSTROM * charges @ pos
    homo, lumo = (np.asarray(level + charges.std()) for level in (-9.0, -3.0))
    size = np.asarray(float(len(z)))
    return {
        "energy": energy,
        "forces": pull.sum(axis=1),
        "dipole": dipole,
        "dipole_magnitude": np.linalg.norm(dipole),
        "charges": charges,
        "homo": homo,
        "lumo": lumo,
        "gap": lumo - homo,
        "polarizability": tensor,
        "polarizability_mean": tensor[0],
        "alpha": tensor[0],
        "mu": np.linalg.norm(dipole),
        "r2": np.asarray((pos**2).sum()),
        "zpve": 0.3 * size,
        "atomization_energy": energy,
        **{name: energy + 0.01 * step * size for step, name in enumerate(("U0", "U", "H", "G"))},
        "Cv": 2.0 * size,
    }
