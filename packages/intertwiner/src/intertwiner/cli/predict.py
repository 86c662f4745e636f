"""`intertwiner predict RUN FILE...`: predictions for the user's own files.

`intertwiner predict RUN --protein P --ligand L` reads a protein and its ligands from two files,
with settings of their reader such as `--reader.waters drop`.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from intertwiner.cli._shared import installed, parser, print_json
from intertwiner.config import flags_to_overrides
from intertwiner.errors import ConfigError, DataError
from intertwiner.fields import GRAPH, Field, Structure

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    options = parser("predict", "predictions of a run for your own files")
    options.add_argument("run", type=Path, help="a run folder")
    options.add_argument("files", type=Path, nargs="*", help="XYZ, SDF, PDB, ... files")
    options.add_argument("--protein", type=Path, help="a protein, of a model of complexes")
    options.add_argument("--ligand", type=Path, help="its ligand or poses, in a file of their own")
    options.add_argument("--out", type=Path, help="write the table to this CSV file")
    chosen, rest = options.parse_known_args(arguments)
    chosen.reader = flags_to_overrides(rest, ("reader",)).get("reader", {})
    registry = installed()

    from intertwiner.atomic import write_atomically
    from intertwiner.training.run import load_run

    run = load_run(chosen.run, registry)
    rows = []
    for path, records in _records(chosen, registry, run):
        for number, (record, found) in enumerate(
            zip(records, _predict(run, path, records), strict=True)
        ):
            name = str(record.get("name", number))
            values = {field.name: _plain(field, found[field.name]) for field in run.outputs}
            rows.append({"file": str(path), "record": name, "values": values})
    units = {field.name: field.unit for field in run.outputs}
    if chosen.json:
        print_json({"run": str(chosen.run), "units": units, "predictions": rows})
        return 0
    text = _csv(rows, run.outputs)
    if chosen.out:
        write_atomically(chosen.out, [text.encode()])
        print(f"{len(rows)} predictions in {chosen.out}", file=sys.stderr)
    else:
        print(text, end="")
    return 0


def _records(chosen: Any, registry: Any, run: Any) -> Iterator[tuple[Path, Sequence[Any]]]:
    """(file, its records) of everything asked for.

    Raises `ConfigError` when there is nothing, or half a complex, or no model of complexes.
    """
    from intertwiner.readers import complex_reader, read_file

    if (chosen.protein is None) != (chosen.ligand is None):
        raise ConfigError("--protein and --ligand go together: give both")
    if chosen.protein is None and not chosen.files:
        raise ConfigError("nothing to predict: give files, or --protein and --ligand")
    if chosen.protein is None and chosen.reader:
        raise ConfigError("--reader.*: settings for --protein and --ligand, which are not given")
    for path in chosen.files:
        yield path, read_file(registry, path, run.schema.structure)
    if chosen.protein is None:
        return
    if run.schema.structure != Structure.COMPLEX:
        raise ConfigError(f"--protein, --ligand: {chosen.run} reads {run.schema.structure}")
    options = {"progress": False, **chosen.reader}
    found = complex_reader(registry).poses(chosen.protein, chosen.ligand, **options)
    print(found.summary(), file=sys.stderr)
    for failure in found.failures:
        print(f"{failure.name} left out: {failure.reason}", file=sys.stderr)
    if not found.records:
        raise DataError(f"{chosen.ligand}: no ligand could be read")
    yield chosen.ligand, found.records


def _predict(run: Any, path: Path, records: Sequence[Any]) -> list[dict[str, Any]]:
    """The run's predictions; an error names the file."""
    try:
        predictions: list[dict[str, Any]] = run.predict(records)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return predictions


def _plain(field: Field, tensor: Any) -> Any:
    """Numbers of a graph field without its row of one; a list of items otherwise."""
    return (tensor.squeeze(0) if field.site == GRAPH else tensor).tolist()


def _csv(rows: Sequence[dict[str, Any]], fields: Sequence[Field]) -> str:
    """One line per record, or per node where any target is of nodes; a column per component."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    nodes = [field.name for field in fields if field.site != GRAPH]
    heads: list[str] = []
    for row in rows:
        for number in range(len(row["values"][nodes[0]]) if nodes else 1):
            cells = dict(_cells(row["values"], fields, number))
            if not heads:
                heads = ["file", "record", *(["node"] if nodes else []), *cells]
                writer.writerow(heads)
            place = [row["file"], row["record"], *([number] if nodes else [])]
            writer.writerow([*place, *(f"{value:.6g}" for value in cells.values())])
    return text.getvalue()


def _cells(
    values: dict[str, Any], fields: Sequence[Field], number: int
) -> Iterator[tuple[str, float]]:
    """(head, value) of every component; of node fields those of node `number`."""
    for field in fields:
        unit = f" [{field.unit}]" if field.unit else ""
        value = values[field.name] if field.site == GRAPH else values[field.name][number]
        if not isinstance(value, list):
            yield f"{field.name}{unit}", value
            continue
        axes = ("x", "y", "z") if len(value) == 3 else tuple(map(str, range(len(value))))
        for axis, item in zip(axes, value, strict=True):
            yield f"{field.name}.{axis}{unit}", item
