"""`pdbbind`: a folder of PDBbind of the user's own, of any version. Nothing is downloaded.

Structures are read by the installed reader of complexes, labels come from the index file. What is
missing or cannot be read is counted and listed by reason, never dropped in silence.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch_geometric.data import Data

from intertwiner.atomic import write_atomically
from intertwiner.data import Dataset
from intertwiner.data.dataset import Split
from intertwiner.errors import ConfigError, DataError
from intertwiner.readers import complex_reader
from intertwiner.registry import load_registry
from intertwiner_atomic_conv.affinity import KCAL_PER_PK
from intertwiner_atomic_conv.config import PdbbindConfig
from intertwiner_atomic_conv.datasets.leak_lists import clean_split, read_leak_lists
from intertwiner_atomic_conv.datasets.open_complexes import synthetic
from intertwiner_atomic_conv.datasets.pdbbind_index import Entry, Index, find_index, read_index
from intertwiner_atomic_conv.datasets.splitting import split_records

__all__ = ["join", "load", "species_of", "synthetic", "with_affinity"]

SHOWN = 5
_log = logging.getLogger(__name__)


def load(config: PdbbindConfig) -> Dataset:
    """The complexes of `config.root` that have a label and can be read.

    Raises `ConfigError` when no root is given, `DataError` when nothing can be used.
    """
    if not config.root:
        raise ConfigError("data.root: give the folder of PDBbind, --data.root FOLDER")
    root = Path(config.root).expanduser()
    path = Path(config.index) if config.index else find_index(root, config.subset)
    index = read_index(path)
    reader: Any = complex_reader(load_registry())
    found = reader.read(root, pocket=config.pocket)
    records, entries, missing = join(found.records, index, censored=config.censored)
    failures = {item.name: item.reason for item in found.failures}
    _tell(path, index, missing, failures)
    if not records:
        raise DataError(f"{root}: no complex has both structures and a label of {path.name}")
    return Dataset(records, _splits(records, entries, config), species_of(records))


def join(
    records: Sequence[Data], index: Index, *, censored: str = "drop"
) -> tuple[list[Data], list[Entry], dict[str, str]]:
    """Records with their labels, their entries, and why entries or records were left out.

    censored: "drop" leaves out labels that are bounds.
    """
    by_code = {str(record.name)[:4].lower(): record for record in records}
    kept, entries, missing = [], [], {}
    for code, entry in index.entries.items():
        if censored == "drop" and entry.relation != "=":
            missing[code] = f"the label is a bound ({entry.relation})"
        elif code not in by_code:
            missing[code] = "no folder that can be read"
        else:
            kept.append(_labelled(by_code[code], entry))
            entries.append(entry)
    for code in by_code.keys() - index.entries.keys():
        missing[code] = "not in the index"
    return kept, entries, missing


def _labelled(record: Data, entry: Entry) -> Data:
    record.name = entry.code
    return with_affinity(record, entry.pk)


def with_affinity(record: Data, pk: float) -> Data:
    """The record with its labels pK and dG (kcal/mol)."""
    record.pK = torch.tensor([pk], dtype=torch.float32)
    record.dG = torch.tensor([-KCAL_PER_PK * pk], dtype=torch.float32)
    return record


def _splits(records: list[Data], entries: list[Entry], config: PdbbindConfig) -> dict[str, Split]:
    found = split_records(records, [entry.year for entry in entries], config.split)
    if config.split.startswith("cleansplit"):
        found["cleansplit"], found["cleansplit-independent"] = _without_leaks(entries, config)
    return found


def _without_leaks(entries: list[Entry], config: PdbbindConfig) -> tuple[Split, Split]:
    if not config.cleansplit:
        raise ConfigError(f"data.split={config.split}: give its lists, --data.cleansplit FILE")
    lists = read_leak_lists(Path(config.cleansplit).expanduser(), config.core)
    whole, free = clean_split([entry.code for entry in entries], lists)
    used = sum(map(len, whole.values()))
    _log.info("%s: %d of %d complexes are in its lists", config.cleansplit, used, len(entries))
    return whole, free


def species_of(records: Sequence[Data]) -> tuple[int, ...]:
    """The elements that occur."""
    return tuple(sorted({int(z) for record in records for z in record.z.unique()}))


def _tell(path: Path, index: Index, missing: dict[str, str], failures: dict[str, str]) -> None:
    """Logs counts by reason and the first codes of each; all of them as JSON in the cache."""
    for what, count in (Counter(missing.values()) + Counter(index.counts)).items():
        codes = [code for code, reason in missing.items() if reason == what][:SHOWN]
        _log.warning("%s: %d: %s %s", path.name, count, what, ", ".join(codes))
    for note in index.notes[:SHOWN]:
        _log.warning("%s: %s", path.name, note)
    for name, reason in list(failures.items())[:SHOWN]:
        _log.warning("%s left out: %s", name, reason)
    report = {"missing": missing, "failures": failures, "notes": index.notes}
    from intertwiner.data.cache import cache_folder, make_folder

    folder = cache_folder() / "atomic-conv"
    make_folder(folder)
    target = folder / f"{path.stem}-left-out.json"
    write_atomically(target, [json.dumps(report, indent=1).encode()])
    _log.info("everything left out is listed in %s", target)
