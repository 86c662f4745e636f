"""`affinity-files`: a table of your own complexes with affinities, or folders in OpenFF's form.

A table (`.csv`) has the columns `protein` and `ligand` (paths beside the table), `affinity` and
`unit`, and may have `id`, `ligand_index`, `smiles` and `year`. A folder has one for each target
with `protein.pdb`, `ligands.sdf` and `ligands.yml`, as in OpenFF's protein-ligand benchmark: for
each ligand by name a `measurement` with `type`, `unit` and `value`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch_geometric.data import Data

from intertwiner.config import read_yaml
from intertwiner.data import Dataset
from intertwiner.errors import ConfigError, DataError
from intertwiner.readers import complex_reader
from intertwiner.registry import load_registry
from intertwiner_atomic_conv.affinity import UNITS, to_pk
from intertwiner_atomic_conv.config import AffinityFilesConfig
from intertwiner_atomic_conv.datasets.open_complexes import synthetic
from intertwiner_atomic_conv.datasets.pdbbind import species_of, with_affinity
from intertwiner_atomic_conv.datasets.splitting import split_records

__all__ = ["load", "synthetic"]

_log = logging.getLogger(__name__)


def load(config: AffinityFilesConfig) -> Dataset:
    """The complexes that can be read and have a label; what is left out is logged with its reason.

    Raises `ConfigError` when no path is given, `DataError` when nothing can be used, `InvalidInput`
    for a unit that is missing or unknown.
    """
    if not config.path:
        raise ConfigError("data.path: give a table or a folder, --data.path PATH")
    path = Path(config.path).expanduser()
    reader: Any = complex_reader(load_registry())
    found = reader.read(path).or_error(path)
    found.tell()
    label = _from_folder(path) if path.is_dir() else _from_columns
    records, years = [], []
    for record in found.records:
        pk = label(record)
        if math.isfinite(pk):
            records.append(with_affinity(record, pk))
            years.append(float(record.get("year", math.nan)))
        else:
            _log.warning("%s left out: no finite label", record.name)
    if not records:
        raise DataError(f"{path}: none of {len(found.records)} complexes has a label")
    return Dataset(records, split_records(records, years, config.split), species_of(records))


def _from_columns(record: Data) -> float:
    if "affinity" not in record:
        raise DataError(f"{record.name}: the table has no column 'affinity'")
    return _pk(float(record.affinity), str(record.get("unit", "")), str(record.name))


def _from_folder(root: Path) -> Any:
    """A function from a record called "target ligand" to its pK."""
    labels = dict(_measurements(root))

    def label(record: Data) -> float:
        return labels.get(str(record.name), math.nan)

    return label


def _measurements(root: Path) -> Iterator[tuple[str, float]]:
    for path in sorted(root.rglob("ligands.yml")):
        for name, entry in read_yaml(path).items():
            measured = entry.get("measurement") if isinstance(entry, dict) else None
            if not isinstance(measured, dict):
                _log.warning("%s: %s has no measurement", path, name)
                continue
            value, unit = measured.get("value"), str(measured.get("unit", ""))
            if not isinstance(value, int | float):
                raise DataError(f"{path}: the value of {name} is {value!r}, no number")
            title = f"{path.parent.name} {name}"
            yield title, _pk(float(value), unit, title)


def _pk(value: float, unit: str, name: str) -> float:
    """NaN for a value that is missing."""
    unit = unit.replace(" ", "")
    return math.nan if unit in UNITS and math.isnan(value) else to_pk(value, unit, name)
