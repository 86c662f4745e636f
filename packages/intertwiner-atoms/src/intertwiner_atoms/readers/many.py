"""Many structure files, or one of many records, in parallel; a bad one is told and left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from intertwiner.errors import DataError
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.readers.any_file import SUFFIXES, reader_of, suffix_of
from intertwiner_atoms.readers.base import RecordsReader
from intertwiner_atoms.readers.collection import Collection, Failure
from intertwiner_atoms.readers.parallel import spread
from intertwiner_atoms.readers.raw_atoms import Atoms
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.spans import Span, lines_of, spans
from intertwiner_atoms.readers.text import numbered_lines

__all__ = ["read_many", "structure_files"]


@dataclass(frozen=True)
class _Task:
    path: Path
    span: Span | None
    config: ReadConfig


@dataclass(frozen=True)
class _Outcome:
    """The molecules of one task, each as arrays or as what is wrong with it."""

    found: list[Atoms | Failure]
    counts: Counter[str]


def structure_files(folder: Path | str) -> list[Path]:
    """The structure files directly inside a folder, by name. Raises `DataError` if none are."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    found = sorted(path for path in folder.iterdir() if suffix_of(path) in SUFFIXES)
    if not found:
        raise DataError(f"{folder}: no structure files; known are {', '.join(SUFFIXES)}")
    return found


def read_many(
    paths: Iterable[Path | str] | Path | str,
    config: ReadConfig | None = None,
    *,
    workers: int = 1,
    progress: bool = True,
) -> Collection:
    """The records of several files, of all files in a folder, or of one file of many records.

    workers: processes; 0 for as many as there are processors. Whatever cannot be read is a
    failure of the collection: a record of an SDF or MOL2 file by itself, else the whole file.
    """
    config = config or ReadConfig()
    collection = Collection()
    tasks = list(_tasks(_listed(paths), config))
    outcomes = spread(_read, tasks, workers=workers, label="reading", progress=progress)
    for task, outcome in zip(tasks, outcomes, strict=True):
        if outcome is None:
            reason = f"{task.path}: the process that read it ended"
            collection.failures.append(Failure(task.path.name, reason))
            continue
        collection.counts.update(outcome.counts)
        for found in outcome.found:
            if isinstance(found, Failure):
                collection.failures.append(found)
            else:
                collection.records.append(found.record())
    return collection


def _listed(paths: Iterable[Path | str] | Path | str) -> list[Path]:
    if isinstance(paths, Path | str):
        return structure_files(paths) if Path(paths).is_dir() else [Path(paths)]
    return [Path(path) for path in paths]


def _tasks(paths: list[Path], config: ReadConfig) -> Iterator[_Task]:
    for path in paths:
        try:
            pieces = spans(path, reader_of(path, config, ReadReport(path)))
        except DataError:
            pieces = []  # what is wrong is told when it is read
        if len(pieces) > 1:
            yield from (_Task(path, piece, config) for piece in pieces)
        else:
            yield _Task(path, None, config)


def _read(task: _Task) -> _Outcome:
    report, found = ReadReport(task.path), list[Atoms | Failure]()
    try:
        for each in _each(task, report):
            if isinstance(each, DataError):
                found.append(Failure(task.path.name, str(each)))
            else:
                found.append(each.compact())
    except DataError as error:
        found = [Failure(task.path.name, str(error))]
    return _Outcome(found, report.counts)


def _each(task: _Task, report: ReadReport) -> Iterator[Atoms | DataError]:
    reader = reader_of(task.path, task.config, report)
    if not isinstance(reader, RecordsReader):
        yield from reader.atoms(task.path, report)
        return
    lines = numbered_lines(task.path, task.config.max_bytes)
    if task.span is not None:
        lines = lines_of(task.path, task.span, task.config.max_bytes)
    empty = True
    for each in reader.each(task.path, lines, task.span.record if task.span else 1):
        empty = False
        if isinstance(each, tuple):
            report.counts.update(each[1].counts)
            yield each[0]
        elif each is not None:
            yield each
    if empty:
        yield DataError(f"{task.path}: no record of a molecule in it")
