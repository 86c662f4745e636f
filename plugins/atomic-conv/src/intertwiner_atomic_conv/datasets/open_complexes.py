"""`open-complexes`: the public FEP benchmarks in one file given by path, cleaned up.

Sources: Schrodinger's public binding free energy benchmark (MIT), OpenFF's protein-ligand
benchmark (CC-BY-4.0), the Merck FEP benchmark (MIT). What is done about their faults:

* two series carry relative, mean-centred values, not affinities (23 rows): left out, counted;
* sources overlap: one record for each protein group and SMILES, its label the median;
* crystal waters inside the ligand are displaced; complexes whose ligand overlaps protein atoms
  are flagged, and dropped where `overlaps` is "drop".

Poses are modelled, series are congeneric: a random split is vacuous, `target` keeps proteins apart.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data

from intertwiner.data import Dataset
from intertwiner.errors import ConfigError, DataError
from intertwiner_atomic_conv.affinity import KCAL_PER_PK
from intertwiner_atomic_conv.config import OpenComplexesConfig
from intertwiner_atomic_conv.datasets.protein_groups import protein_groups
from intertwiner_atomic_conv.evaluation.folds import as_split, grouped, random, scaffold

__all__ = ["Cleaned", "OpenFile", "clean", "load", "read_file", "records_of", "synthetic"]

WATERS: Final = ("HOH", "SPC", "WAT", "TIP")
DISPLACED, OVERLAP = 2.4, 1.9
"""angstrom: waters nearer to the ligand make room; protein atoms nearer overlap."""
MIDDLE_OF_RELATIVE: Final = 0.05
ARRAYS: Final = (
    *("id", "src", "target", "pk", "kind", "smiles", "lig_ptr", "lig_z", "lig_x"),
    *("poc_ptr", "poc_z", "poc_x", "poc_res", "poc_resname", "resnames"),
)
Numbers = NDArray[np.int64]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """The arrays of the file, and the series (source and target) of every complex."""

    data: dict[str, Any]
    series: Numbers
    names: tuple[str, ...]

    def ligand(self, number: int) -> slice:
        return slice(*self.data["lig_ptr"][number : number + 2].tolist())

    def pocket(self, number: int) -> slice:
        return slice(*self.data["poc_ptr"][number : number + 2].tolist())


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Complexes kept [n]: row of the file, protein group, label (pK). Counts of what was not.

    relative: rows of series with relative values. unlabelled: rows without a value. overlap: rows
    whose ligand overlaps protein atoms. repeated: rows that share protein and SMILES with one that
    is kept.
    """

    row: Numbers
    group: Numbers
    pk: NDArray[np.float64]
    groups: int
    relative: Numbers
    unlabelled: Numbers
    overlap: Numbers
    water: Numbers
    repeated: int
    replicated: int


def read_file(path: Path) -> OpenFile:
    """Raises `DataError` when it is not such a file; nothing in it is executed."""
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in ARRAYS if name not in file]
            data = {name: file[name] for name in ARRAYS if not missing}
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if missing:
        raise DataError(f"{path}: no array {missing[0]!r}; it must hold {', '.join(ARRAYS)}")
    labels = [f"{s}/{t}" for s, t in zip(data["src"], data["target"], strict=True)]
    names, series = np.unique(labels, return_inverse=True)
    return OpenFile(data, series.astype(np.int64), tuple(names.tolist()))


def series_groups(file: OpenFile) -> Numbers:
    """The protein group of every series, by the residues of its middle complex."""
    residues = []
    for number in range(len(file.names)):
        rows = np.flatnonzero(file.series == number)
        atoms = file.pocket(int(rows[len(rows) // 2]))
        first = np.unique(file.data["poc_res"][atoms], return_index=True)[1]
        residues.append(file.data["resnames"][file.data["poc_resname"][atoms][first]].tolist())
    return np.array(protein_groups(residues))


def relative_rows(file: OpenFile) -> Numbers:
    """Rows of series with mean 0 and negative values: relative free energies, not affinities."""
    found = []
    for number in range(len(file.names)):
        rows = np.flatnonzero(file.series == number)
        values = file.data["pk"][rows]
        if len(rows) > 1 and abs(values.mean()) < MIDDLE_OF_RELATIVE and values.min() < 0:
            found.append(rows)
    return np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)


def clean(file: OpenFile) -> Cleaned:
    """What is kept of the file, and counts of what is not.

    Raises `DataError` when no complex has a label.
    """
    group = series_groups(file)[file.series]
    relative = relative_rows(file)
    unlabelled = np.flatnonzero(~np.isfinite(file.data["pk"]))
    if len(unlabelled) == len(group):
        raise DataError("'pk': none of the complexes has a finite label")
    contact = [_contact(file, number) for number in range(len(file.data["id"]))]
    overlap = np.array([protein < OVERLAP for protein, _ in contact])
    water = np.array([water < OVERLAP for _, water in contact])
    keys: dict[tuple[int, str], list[int]] = {}
    for number in np.setdiff1d(np.arange(len(group)), np.union1d(relative, unlabelled)):
        keys.setdefault((int(group[number]), str(file.data["smiles"][number])), []).append(number)
    chosen = [min(rows, key=lambda row: (overlap[row], row)) for rows in keys.values()]
    median = [float(np.median(file.data["pk"][rows])) for rows in keys.values()]
    repeated = sum(len(rows) - 1 for rows in keys.values())
    return Cleaned(
        row=np.array(chosen),
        group=np.array([key[0] for key in keys]),
        pk=np.array(median),
        groups=len(np.unique([key[0] for key in keys])),
        relative=relative,
        unlabelled=unlabelled,
        overlap=np.flatnonzero(overlap),
        water=np.flatnonzero(water),
        repeated=repeated,
        replicated=sum(len(rows) > 1 for rows in keys.values()),
    )


def _contact(file: OpenFile, number: int) -> tuple[float, float]:
    """Smallest distance of the ligand to protein atoms and to waters, angstrom."""
    square = _squares(file, number).min(1)
    water = _is_water(file, number)
    smallest = [square[chosen].min(initial=np.inf) for chosen in (~water, water)]
    return float(np.sqrt(smallest[0])), float(np.sqrt(smallest[1]))


def _squares(file: OpenFile, number: int) -> NDArray[np.float64]:
    """[pocket, ligand] squared distances, angstrom^2."""
    x = file.data["lig_x"][file.ligand(number)] / 1000.0
    y = file.data["poc_x"][file.pocket(number)] / 1000.0
    square: NDArray[np.float64] = (y**2).sum(1)[:, None] + (x**2).sum(1) - 2 * y @ x.T
    return np.maximum(square, 0.0)


def _is_water(file: OpenFile, number: int) -> NDArray[np.bool_]:
    names = file.data["resnames"][file.data["poc_resname"][file.pocket(number)]]
    water: NDArray[np.bool_] = np.isin(names, WATERS)
    return water


def _kept_pocket(file: OpenFile, number: int, waters: str) -> NDArray[np.bool_]:
    water = _is_water(file, number)
    if waters == "keep":
        return np.ones(len(water), dtype=bool)
    if waters == "drop":
        return ~water
    residue = file.data["poc_res"][file.pocket(number)]
    near = _squares(file, number).min(1) < DISPLACED**2
    return ~(water & np.isin(residue, residue[near & water]))


def records_of(file: OpenFile, cleaned: Cleaned, waters: str = "displace") -> list[Data]:
    """A record for every complex that is kept; the ligand's atoms come first."""
    return list(_records(file, cleaned, waters))


def _records(file: OpenFile, cleaned: Cleaned, waters: str) -> Iterator[Data]:
    data = file.data
    for number, group, pk in zip(cleaned.row, cleaned.group, cleaned.pk, strict=True):
        kept = _kept_pocket(file, number, waters)
        ligand, pocket = file.ligand(number), file.pocket(number)
        x = np.concatenate([data["lig_x"][ligand], data["poc_x"][pocket][kept]]) / 1000.0
        z = np.concatenate([data["lig_z"][ligand], data["poc_z"][pocket][kept]])
        residue = np.concatenate(
            [np.zeros(ligand.stop - ligand.start), data["poc_resname"][pocket][kept] + 1]
        )
        part = np.repeat([1, 0], [ligand.stop - ligand.start, int(kept.sum())])
        yield Data(
            pos=torch.from_numpy(x.astype(np.float32)),
            z=torch.from_numpy(z.astype(np.int64)),
            part=torch.from_numpy(part.astype(np.int64)),
            residue_kind=torch.from_numpy(residue.astype(np.int64)),
            pK=torch.tensor([pk], dtype=torch.float32),
            dG=torch.tensor([-KCAL_PER_PK * pk], dtype=torch.float32),
            group=torch.tensor([int(group)]),
            series=torch.tensor([int(file.series[number])]),
            smiles=str(data["smiles"][number]),
            name=str(data["id"][number]),
        )


def load(config: OpenComplexesConfig) -> Dataset:
    """The complexes of `config.path`. Raises `ConfigError` when no path is given."""
    if not config.path:
        raise ConfigError("data.path: give the file of complexes, --data.path FILE")
    file = read_file(Path(config.path).expanduser())
    cleaned = clean(file)
    _tell(file, cleaned)
    records = records_of(file, cleaned, config.waters)
    if config.overlaps == "drop":
        kept = ~np.isin(cleaned.row, cleaned.overlap)
        records = [record for record, keep in zip(records, kept, strict=True) if keep]
    return _dataset(records, config)


def _tell(file: OpenFile, cleaned: Cleaned) -> None:
    """Logs what is left out and why."""
    for number in np.unique(file.series[cleaned.relative]):
        values = file.data["pk"][file.series == number]
        _log.warning(
            "series %s looks relative (mean %.2f, min %.2f): %d complexes left out",
            *(file.names[number], values.mean(), values.min(), len(values)),
        )
    for row in cleaned.unlabelled:
        _log.warning("%s left out: no finite label", file.data["id"][row])
    _log.info(
        "%d complexes of %d proteins; %d repeats left out; %d ligands overlap protein atoms",
        *(len(cleaned.row), cleaned.groups, cleaned.repeated, len(cleaned.overlap)),
    )


def _dataset(records: list[Data], config: OpenComplexesConfig) -> Dataset:
    if config.fold >= config.folds:
        raise ConfigError(f"data.fold: {config.fold} of {config.folds} folds; they count from 0")
    group = np.array([int(record.group) for record in records])
    folds = {
        "random": random(len(records), config.folds, config.shuffle),
        "target": grouped(group, config.folds, config.shuffle),
    }
    if config.split == "scaffold":
        folds["scaffold"] = scaffold([record.smiles for record in records], config.folds)
    splits = {name: as_split(fold, config.fold, config.folds) for name, fold in folds.items()}
    species = sorted({int(z) for record in records for z in record.z.unique()})
    return Dataset(records, splits, tuple(species))


def synthetic(count: int, seed: int) -> Dataset:
    """Generated pockets in groups of three, in the form of the real records."""
    from intertwiner_atomic_conv.datasets.synthetic_pockets import synthetic as pockets

    records = []
    for number, record in enumerate(pockets(count, seed)):
        record.group = torch.tensor([number // 3])
        record.series = record.group.clone()
        record.residue_kind = record.part.clone()
        record.smiles = ""
        records.append(record)
    return _dataset(records, OpenComplexesConfig())
