"""Many complexes in parallel; one that cannot be read is told with its reason and left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from intertwiner.errors import DataError
from intertwiner_atoms.complexes.joining import ComplexArrays
from intertwiner_atoms.complexes.labels import Labels, label, labels_of
from intertwiner_atoms.complexes.ligand import (
    Ligand,
    ligands_of,
    only_ligand,
    read_config,
)
from intertwiner_atoms.complexes.reading import as_record, complex_of, with_policies
from intertwiner_atoms.complexes.receptor import Receptor, read_receptor
from intertwiner_atoms.complexes.sources import ComplexFiles, complexes_in, read_manifest
from intertwiner_atoms.config import ComplexConfig
from intertwiner_atoms.readers.any_file import reader_of
from intertwiner_atoms.readers.collection import Collection, Failure
from intertwiner_atoms.readers.parallel import spread
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.spans import Span, spans

__all__ = ["read_complexes", "read_poses"]


@dataclass(frozen=True)
class _Task:
    """A row of the table, or a piece of one whose ligands' file holds many records."""

    row: int
    files: ComplexFiles
    span: Span | None
    config: ComplexConfig


@dataclass(frozen=True)
class _Outcome:
    """One complex, or why there is none. counts, notes: of its report."""

    found: ComplexArrays | Failure
    counts: Counter[str]
    notes: list[str]


def read_complexes(
    source: Path | str | Sequence[ComplexFiles],
    config: ComplexConfig | None = None,
    *,
    pocket: bool = False,
    workers: int = 1,
    progress: bool = True,
    **policies: Any,
) -> Collection:
    """The complexes of a folder (see `complexes_in`), a table (`read_manifest`), or of a list.

    workers: processes; 0 for as many as there are processors. policies: settings of
    `ComplexConfig`. Further columns of a table become labels of the records.
    Raises `DataError` for a folder or table without complexes; what is wrong with one complex
    is a failure of the collection.
    """
    config = with_policies(config, policies)
    labels, failures = Labels(), list[Failure]()
    if not isinstance(source, Path | str):
        files = list(source)
    elif Path(source).is_dir():
        files, failures = complexes_in(source, pocket=pocket)
    else:
        files = read_manifest(source, config.max_bytes)
        labels = labels_of(Path(source), files)
    collection = Collection(failures=failures)
    tasks = [
        _Task(row, each, span, config)
        for row, each in enumerate(files)
        for span in _pieces(each, config, workers)
    ]
    outcomes = spread(_read, tasks, workers=workers, label="complexes", progress=progress)
    for task, found in zip(tasks, outcomes, strict=True):
        if found is None:
            reason = f"{task.files.ligands[0]}: the process that read it ended"
            found = [_failed(_title(task.files), reason)]
        for outcome in found:
            _add(collection, outcome, labels, task.row)
    return collection


def read_poses(
    protein: Path | str,
    ligands: Path | str,
    config: ComplexConfig | None = None,
    *,
    workers: int = 1,
    progress: bool = True,
    **policies: Any,
) -> Collection:
    """Every record of a ligands' file as a complex with the same protein, which is read once.

    A pose that cannot be read is a failure of the collection. Raises `DataError` when the
    protein cannot.
    """
    config = with_policies(config, policies)
    _receptor(Path(protein), _modified(Path(protein)), config)
    files = ComplexFiles("", Path(protein), (Path(ligands),), every=True)
    return read_complexes([files], config, workers=workers, progress=progress)


def _add(collection: Collection, outcome: _Outcome, labels: Labels, row: int) -> None:
    collection.counts.update(outcome.counts)
    if isinstance(outcome.found, Failure):
        collection.failures.append(outcome.found)
        return
    collection.records.append(label(as_record(outcome.found), labels, row))
    if outcome.notes:
        collection.notes[outcome.found.name] = outcome.notes


def _pieces(files: ComplexFiles, config: ComplexConfig, workers: int) -> Sequence[Span | None]:
    if not files.every or workers == 1:
        return [None]
    path = files.ligands[0]
    try:
        return spans(path, reader_of(path, read_config(config), ReadReport(path))) or [None]
    except DataError:
        return [None]  # what is wrong is told when it is read


def _read(task: _Task) -> list[_Outcome]:
    return list(_outcomes(task))


def _outcomes(task: _Task) -> Iterator[_Outcome]:
    files, config = task.files, task.config
    try:
        receptor = _receptor(files.protein, _modified(files.protein), config)
        notes, ligands = _ligands(task)
        for ligand in ligands:
            if isinstance(ligand, Ligand):
                yield _outcome(files, receptor, ligand, config, notes)
            elif ligand is not None:
                yield _failed(_title(files), str(ligand))
    except DataError as error:
        yield _failed(_title(files), str(error))


def _title(files: ComplexFiles) -> str:
    return files.name or files.ligands[0].name


def _outcome(
    files: ComplexFiles,
    receptor: Receptor,
    ligand: Ligand,
    config: ComplexConfig,
    notes: list[str],
) -> _Outcome:
    name = f"{files.name} {ligand.name}".strip() if files.every else files.name
    try:
        arrays, report = complex_of(receptor, ligand, config, smiles=files.smiles, name=name)
    except DataError as error:
        return _failed(name, str(error))
    counts = report.all_counts
    if files.every:  # the protein is the same in all of them
        counts = Counter({k: n for k, n in counts.items() if not k.startswith("protein:")})
    return _Outcome(arrays, counts, [*notes, *report.notes])


def _failed(name: str, reason: str) -> _Outcome:
    return _Outcome(Failure(name, reason), Counter(), [])


def _ligands(task: _Task) -> tuple[list[str], Iterator[Ligand | DataError | None]]:
    """What is to be noted, and the ligands of a task."""
    files, config = task.files, task.config
    if files.every:
        return [], ligands_of(files.ligands[0], config, span=task.span)
    chosen = replace(config, ligand_index=files.ligand_index or config.ligand_index)
    errors = list[DataError]()
    for path in files.ligands:
        try:
            ligand = only_ligand(path, chosen)
        except DataError as error:
            errors.append(error)
            continue
        return [f"read from {path.name}, because {error}" for error in errors], iter([ligand])
    raise errors[0]


def _modified(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


@lru_cache(maxsize=4)
def _receptor(path: Path, modified: int, config: ComplexConfig) -> Receptor:
    """The receptor, read once for the poses that follow each other."""
    return read_receptor(path, config)
