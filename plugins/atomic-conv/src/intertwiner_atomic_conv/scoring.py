"""`score("protein.pdb", "ligand.sdf")`: a binding affinity, and what was done to get it.

Files are read by the installed reader of complexes (`intertwiner-atoms`); arrays need none.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner.data.collate import collate
from intertwiner.errors import DataError
from intertwiner.readers import complex_reader
from intertwiner.registry import load_registry
from intertwiner.training.run import load_run
from intertwiner.training.tensors import load_tensors
from intertwiner_atomic_conv.affinity import KCAL_PER_PK
from intertwiner_atomic_conv.config import PooledConfig
from intertwiner_atomic_conv.errors import InvalidInput
from intertwiner_atomic_conv.evaluation.models import SCHEMA
from intertwiner_atomic_conv.model import AtomicConvNetwork
from intertwiner_atomic_conv.pooled.counts import count_pairs
from intertwiner_atomic_conv.pooled.model import Features, PooledNetwork, features_of

__all__ = ["Score", "Scorer", "complex_from_arrays", "default_model", "score"]

WEIGHTS = "pooled.safetensors"
Arrays = tuple[Any, Any]
Network = AtomicConvNetwork | PooledNetwork
FAR, SAME_PLACE = 12.0, 0.001
"""angstrom."""
NANOMETRES = 0.10, 0.25
"""Distances to the nearest atom that are too short for angstrom."""
SOME = 256
HYDROGEN = 1
TOGETHER = 64
"""Complexes in one batch."""


@dataclass(frozen=True, slots=True)
class Score:
    """pK = interaction + offset; interaction is 0 where nothing is in reach. dG_kcal = -1.3643 pK.

    sd: spread of the members of an ensemble, None for a single network.
    atom_contributions [atoms] (pK): additive networks split the interaction exactly; for the
    pooled model they are gradient times count, which is only a linear reading.
    report: what was dropped, displaced or guessed when the files were read, and warnings.
    """

    name: str
    pK: float
    dG_kcal: float
    interaction: float
    offset: float
    sd: float | None
    atom_contributions: Float[Tensor, " atoms"]
    report: tuple[str, ...]


def score(
    protein: Path | str | Arrays,
    ligand: Path | str | Arrays,
    model: str | Path | Network = "pooled",
    **policies: Any,
) -> Score | list[Score]:
    """The affinity of a ligand, or a list for a file with several records.

    protein, ligand: files, or both as arrays (atomic numbers [n], positions [n, 3] in angstrom).
    model: "pooled", the folder of a run, or a network. policies: of the reader, such as
    `waters="drop"`. Raises `DataError` naming file, atom and remedy.
    """
    found = Scorer(protein, model, **policies)(ligand)
    return found[0] if len(found) == 1 else found


class Scorer:
    """Scores ligands against one protein."""

    def __init__(
        self,
        protein: Path | str | Arrays,
        model: str | Path | Network = "pooled",
        **policies: Any,
    ) -> None:
        self.protein, self.policies = protein, policies
        self.network, self.notes = _network(model)

    def __call__(self, ligand: Path | str | Arrays) -> list[Score]:
        """A score for every record of `ligand`. Raises `DataError` when none can be read."""
        if isinstance(ligand, tuple) != isinstance(self.protein, tuple):
            raise InvalidInput("protein and ligand must both be files or both be arrays")
        if isinstance(ligand, tuple):
            record = complex_from_arrays(cast(Arrays, self.protein), ligand, **self.policies)
            return self.of_records([record])
        protein = cast("Path | str", self.protein)
        options = {"progress": False, **self.policies}
        found = complex_reader(load_registry()).poses(protein, ligand, **options)
        failed = tuple(f"{item.name} left out: {item.reason}" for item in found.failures)
        if not found.records:
            raise DataError(failed[0] if failed else f"{ligand}: no ligand in it")
        counted = tuple(f"{what}: {count}" for what, count in sorted(found.counts.items()))
        notes = [tuple(found.notes.get(str(record.name), ())) for record in found.records]
        return self.of_records(found.records, [(*counted, *failed, *own) for own in notes])

    def of_records(
        self, records: Sequence[Data], reports: Sequence[tuple[str, ...]] | None = None
    ) -> list[Score]:
        """Scores of records with pos, z, part (1 for the ligand)."""
        reports = reports or [()] * len(records)
        return [
            found
            for first in range(0, len(records), TOGETHER)
            for found in self._batch(
                records[first : first + TOGETHER], reports[first : first + TOGETHER]
            )
        ]

    def _batch(self, records: Sequence[Data], reports: Sequence[tuple[str, ...]]) -> list[Score]:
        batch = collate([_bare(record) for record in records])
        columns = (
            _of_network(self.network, batch)
            if isinstance(self.network, AtomicConvNetwork)
            else _of_ensemble(self.network, batch)
        )
        atoms = columns.atoms.split(batch.ptr.diff().tolist())
        return [
            Score(
                name=str(record.get("name", "")),
                pK=float(columns.total[number]),
                dG_kcal=-KCAL_PER_PK * float(columns.total[number]),
                interaction=float(columns.interaction[number]),
                offset=float(columns.total[number] - columns.interaction[number]),
                sd=None if columns.sd is None else float(columns.sd[number]),
                atom_contributions=atoms[number],
                report=(*reports[number], *columns.warnings[number], *self.notes),
            )
            for number, record in enumerate(records)
        ]


@dataclass(frozen=True, slots=True)
class _Columns:
    total: Tensor
    interaction: Tensor
    atoms: Tensor
    sd: Tensor | None
    warnings: Sequence[tuple[str, ...]]


@torch.no_grad()
def _of_network(network: AtomicConvNetwork, batch: Batch) -> _Columns:
    factor = 1.0 if network.schema.targets[0].name != "dG" else -1 / KCAL_PER_PK
    atoms = network.atom_contributions(batch)[:, 0] * factor
    interaction = atoms.new_zeros(batch.num_graphs).index_add(0, batch.batch, atoms)
    offset = 0.0 if network.offset is None else float(network.offset[0]) * factor
    warnings = [_strangers(network, z) for z in batch.z.split(batch.ptr.diff().tolist())]
    return _Columns(interaction + offset, interaction, atoms, None, warnings)


def _strangers(network: AtomicConvNetwork, z: Tensor) -> tuple[str, ...]:
    """Elements the network has no filters of their own for."""
    heavy = z if network.config.hydrogens == "keep" else z[z != HYDROGEN]
    return tuple(network.types.strangers(heavy.numpy()))


def _of_ensemble(network: PooledNetwork, batch: Batch) -> _Columns:
    """Contributions are gradient times count, of every kind of pair in every shell."""
    weight = torch.ones_like(batch.pos[:, 0]).requires_grad_()
    features = features_of(count_pairs(batch.pos, batch.z, batch.part, batch.ptr, weight))
    members = network.members(features)[:, :, 0]
    atoms = torch.autograd.grad(members.mean(0).sum(), weight)[0]
    with torch.no_grad():
        apart = network.members(features.apart())[:, :, 0].mean(0)
        warnings = _distances(network, features)
        members = members.detach()
        total, spread = members.mean(0), members.std(0, correction=0)
    return _Columns(total, total - apart, atoms, spread, warnings)


def _distances(network: PooledNetwork, features: Features) -> list[tuple[str, ...]]:
    """A warning for each complex unlike all training complexes."""
    likeness = network.kernel("shells").kernel(features.shells).amax(1)
    floor = float(getattr(network, "nearest_floor", 0.0))
    said = "unlike all training complexes (nearest {:.2f}, 99 % of those are above {:.2f})"
    return [(said.format(float(x), floor),) if float(x) < floor else () for x in likeness]


def _bare(record: Data) -> Data:
    return Data(
        pos=record.pos.float(), z=record.z, part=record.part, name=str(record.get("name", ""))
    )


def complex_from_arrays(protein: Arrays, ligand: Arrays, *, allow_far: bool = False) -> Data:
    """A record of two pairs (atomic numbers, positions in angstrom).

    Raises `InvalidInput` for shapes that do not fit, numbers that are no elements, positions that
    are not finite, the same or in nanometres, parts in the wrong order, and a ligand farther than
    12 angstrom unless `allow_far`.
    """
    (z0, x0), (z1, x1) = _checked("protein", *protein), _checked("ligand", *ligand)
    if len(z1) > 200 and len(z0) < 100:
        raise InvalidInput(f"ligand has {len(z1):,} atoms, protein {len(z0):,}: arguments swapped?")
    gap = float(np.sqrt(((x1[:, None] - x0[None]) ** 2).sum(-1).min()))
    if gap > FAR and not allow_far:
        raise InvalidInput(
            f"nearest protein-ligand distance {gap:.1f} A: different coordinate frames? "
            "allow_far=True takes it as it is"
        )
    return Data(
        pos=torch.from_numpy(np.concatenate([x1, x0])).float(),
        z=torch.from_numpy(np.concatenate([z1, z0])),
        part=torch.from_numpy(np.repeat([1, 0], [len(z1), len(z0)])),
        name="arrays",
    )


def _checked(name: str, z: Any, xyz: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    numbers, places = np.asarray(z), np.asarray(xyz, dtype=np.float64)
    if places.ndim != 2 or places.shape[1] != 3:
        raise InvalidInput(f"{name}: xyz must have shape (n, 3), got {places.shape}")
    if numbers.shape != (len(places),):
        raise InvalidInput(f"{name}: {numbers.shape} atomic numbers, {len(places)} positions")
    if not np.issubdtype(numbers.dtype, np.integer):
        raise InvalidInput(f"{name}: Z must be whole numbers, not {numbers.dtype}")
    if not len(numbers):
        raise InvalidInput(f"{name}: no atoms")
    wrong = (numbers < 1) | (numbers > 118)
    if wrong.any():
        atom = int(wrong.argmax())
        raise InvalidInput(f"{name}: Z[{atom}] = {numbers[atom]}")
    bad = ~np.isfinite(places).all(1)
    if bad.any():
        raise InvalidInput(f"{name}: position of atom {int(bad.argmax())} is not finite")
    _check_distances(name, places)
    return numbers.astype(np.int64), places


def _check_distances(name: str, places: NDArray[np.float64]) -> None:
    """Raises `InvalidInput` for two atoms in one place, and for positions as in nanometres."""
    order = np.lexsort(places.T)
    near = np.abs(np.diff(places[order], axis=0)).max(1, initial=0.0) < SAME_PLACE
    if near.any():
        first = int(near.argmax())
        raise InvalidInput(f"{name}: atoms {order[first]} and {order[first + 1]} coincide")
    some = places[:SOME]
    if len(some) < 4:
        return
    gaps = np.linalg.norm(some[:, None] - some, axis=2)
    np.fill_diagonal(gaps, np.inf)
    typical = float(np.median(gaps.min(1)))
    if NANOMETRES[0] <= typical <= NANOMETRES[1]:
        raise InvalidInput(
            f"{name}: median nearest-neighbour distance {typical:.2f}: coordinates in nm? "
            "angstrom expected; multiply by 10"
        )


def _network(model: str | Path | Network) -> tuple[Network, tuple[str, ...]]:
    if isinstance(model, AtomicConvNetwork | PooledNetwork):
        return model.eval(), ()
    if model == "pooled":
        return default_model()
    found = load_run(model).model
    if not isinstance(found, AtomicConvNetwork | PooledNetwork):
        raise InvalidInput(f"{model}: a run of {type(found).__name__}, not of this plugin")
    return found, ()


@functools.cache
def default_model() -> tuple[PooledNetwork, tuple[str, ...]]:
    """The pooled ensemble fitted to the open FEP benchmark complexes, and how good it is.

    Raises `DataError` when the weights are not installed.
    """
    folder = resources.files("intertwiner_atomic_conv").joinpath("data")
    with resources.as_file(folder) as here:
        path = here / WEIGHTS
        if not path.exists():
            raise DataError(
                f"{path}: no default weights are installed; give model=RUN, a trained run's folder"
            )
        tensors, settings = load_tensors(path)
    network = PooledNetwork(PooledConfig(capacity=settings["capacity"]), SCHEMA)
    network.load_state_dict(tensors)
    network.nearest_floor = settings["nearest_floor"]
    return network.eval(), (settings["note"],)
