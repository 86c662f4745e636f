"""The MoleculeNet sets from files that the user brings."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from intertwiner.data import Dataset
from intertwiner.data.cache import VARIABLE, dataset_folder
from intertwiner.errors import ConfigError, DataError
from intertwiner_fedchem.config import MoleculeNetConfig
from intertwiner_fedchem.data.csv_table import read_csv
from intertwiner_fedchem.data.from_smiles import Failing, from_table
from intertwiner_fedchem.data.moleculenet_files import FILES, MoleculeNetFile
from intertwiner_fedchem.data.molecules import Molecules, make_dataset
from intertwiner_fedchem.data.synthetic import synthetic_dataset

__all__ = [
    "BACE",
    "BBBP",
    "CLINTOX",
    "ESOL",
    "FREESOLV",
    "HIV",
    "LIPO",
    "SIDER",
    "TOX21",
    "MoleculeNetSet",
]

_log = logging.getLogger(__name__)
FOLDER = "fedchem/moleculenet"


def locate(file: MoleculeNetFile, path: str) -> Path:
    """The file, given or in the folder of all MoleculeNet files.

    Raises `ConfigError` with both ways to give it.
    """
    found = Path(path).expanduser() if path else dataset_folder(FOLDER) / file.filename
    if not found.is_file():
        raise ConfigError(
            f"{found}: no such file; give {file.filename} (MoleculeNet, as chemprop and DeepChem "
            f"distribute it) with --data.path FILE, or put it into {dataset_folder(FOLDER)} (the "
            f"environment variable {VARIABLE} names its upper folder)"
        )
    return found


@dataclass(frozen=True, slots=True)
class MoleculeNetSet:
    """One set: its loader, and a stand-in for tests."""

    file: MoleculeNetFile

    def load(self, config: MoleculeNetConfig) -> Dataset:
        """The set. Another file than the benchmark's is told; its official split is refused.

        Raises `DataError` for a file that cannot be read, and for molecules that cannot.
        """
        file, path = self.file, locate(self.file, config.path)
        seen = hashlib.sha256(path.read_bytes()).hexdigest()
        if seen != file.sha256:
            said = f"{path}: SHA-256 {seen}, the benchmark's {file.filename} has {file.sha256}"
            if config.split == "official":
                raise DataError(f"{said}; the official split holds for that file alone")
            _log.warning("%s; figures will not compare", said)
        molecules = _molecules(file, path, seen, config.failing)
        return make_dataset(molecules, file.targets, config.targets, config.seed)

    def synthetic(self, count: int, seed: int) -> Dataset:
        """Made-up molecules with the targets of this set."""
        return synthetic_dataset(self.file.targets, count, seed)


@lru_cache(maxsize=8)
def _molecules(file: MoleculeNetFile, path: Path, digest: str, failing: Failing) -> Molecules:
    """Read once for every content of a file (`digest`)."""
    table = read_csv(path, file.smiles, file.columns, classes=file.classification)
    return from_table(table, [field.name for field in file.targets], str(path), failing)


ESOL, FREESOLV, LIPO, BACE, BBBP, CLINTOX, SIDER, TOX21, HIV = map(MoleculeNetSet, FILES)
