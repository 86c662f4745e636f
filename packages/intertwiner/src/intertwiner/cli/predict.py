"""`intertwiner predict RUN FILE...`: predictions for the user's own files."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from intertwiner.cli._shared import installed, parser, print_json
from intertwiner.errors import DataError

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    options = parser("predict", "predictions of a run for your own files")
    options.add_argument("run", type=Path, help="a run folder")
    options.add_argument("files", type=Path, nargs="+", help="XYZ, SDF, PDB, ... files")
    options.add_argument("--out", type=Path, help="write the table to this CSV file")
    chosen = options.parse_args(arguments)
    registry = installed()

    from intertwiner.atomic import write_atomically
    from intertwiner.readers import read_file
    from intertwiner.training.run import load_run

    run = load_run(chosen.run, registry)
    rows = []
    for path in chosen.files:
        records = read_file(registry, path, run.schema.structure)
        for number, (record, found) in enumerate(
            zip(records, _predict(run, path, records), strict=True)
        ):
            name = str(record.get("name", number))
            rows.append({"file": str(path), "record": name, "values": _plain(found)})
    units = {field.name: field.unit for field in run.schema.targets}
    if chosen.json:
        print_json({"run": str(chosen.run), "units": units, "predictions": rows})
        return 0
    text = _csv(rows, units)
    if chosen.out:
        write_atomically(chosen.out, [text.encode()])
        print(f"{len(rows)} predictions in {chosen.out}", file=sys.stderr)
    else:
        print(text, end="")
    return 0


def _predict(run: Any, path: Path, records: Sequence[Any]) -> list[dict[str, Any]]:
    """The run's predictions; an error names the file."""
    try:
        predictions: list[dict[str, Any]] = run.predict(records)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return predictions


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    return {name: tensor.squeeze(0).tolist() for name, tensor in found.items()}


def _csv(rows: Sequence[dict[str, Any]], units: dict[str, str | None]) -> str:
    """One line per record; a target of several components has a column for each."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads: list[str] = []
    for row in rows:
        cells = dict(_cells(row["values"], units))
        if list(cells) != heads:
            heads = list(cells)
            writer.writerow(["file", "record", *heads])
        writer.writerow([row["file"], row["record"], *(f"{value:.6g}" for value in cells.values())])
    return text.getvalue()


def _cells(values: dict[str, Any], units: dict[str, str | None]) -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        unit = f" [{units[name]}]" if units.get(name) else ""
        yield from _flat(name, value, unit)


def _flat(name: str, value: Any, unit: str) -> Iterator[tuple[str, float]]:
    if not isinstance(value, list):
        yield f"{name}{unit}", value
        return
    axes = ("x", "y", "z") if len(value) == 3 else tuple(map(str, range(len(value))))
    for axis, item in zip(axes, value, strict=True):
        yield from _flat(f"{name}.{axis}", item, unit)
