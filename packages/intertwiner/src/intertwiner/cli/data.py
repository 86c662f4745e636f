"""`intertwiner data list|fetch|verify|path`: datasets and the files they need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from intertwiner.cli._shared import installed, parser, print_json, table
from intertwiner.errors import IntertwinerError, LookupFailed
from intertwiner.registry import Entry
from intertwiner.specs import DatasetSpec

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    options = parser("data", "list, fetch, verify and locate datasets")
    options.add_argument("action", choices=("list", "fetch", "verify", "path"))
    options.add_argument("dataset", nargs="?", help="id of a dataset; needed unless listing")
    chosen = options.parse_args(arguments)
    registry = installed()
    if chosen.action == "list":
        rows = [_describe(entry) for entry in registry.datasets]
        heads = ["id", "gives", "records", "files", "licence", "state"]
    else:
        if chosen.dataset is None:
            raise LookupFailed(f"data {chosen.action}: name a dataset; see: intertwiner data list")
        heads, rows = ["file", "state"], _act(chosen.action, registry.dataset(chosen.dataset))
    if chosen.json:
        print_json({"action": chosen.action, "rows": rows})
    elif rows:
        print(table(heads, [[str(row[head]) for head in heads] for row in rows]))
    else:
        print(f"{chosen.dataset}: embedded, no file to {chosen.action}")
    return 1 if any(row.get("well") is False for row in rows) else 0


def _describe(entry: Entry[DatasetSpec]) -> dict[str, Any]:
    from intertwiner.data.fetch import local_path

    spec = entry.spec
    there = [local_path(source, entry.id).is_file() for source in spec.source]
    without_files = "embedded" if spec.size else "your own file"
    state = without_files if not there else "here" if all(there) else "to be fetched"
    return {
        "id": entry.id,
        "gives": str(spec.gives),
        "records": spec.size or "-",
        "files": len(spec.source),
        "licence": spec.licence,
        "state": state,
    }


def _act(action: str, entry: Entry[DatasetSpec]) -> list[dict[str, Any]]:
    from intertwiner.data.fetch import fetch, local_path, verify

    rows: list[dict[str, Any]] = []
    for source in entry.spec.source:
        path = local_path(source, entry.id)
        if action == "fetch":
            rows.append({"file": str(fetch(source, entry.id)), "state": "here"})
            continue
        if action == "path":
            rows.append({"file": str(path), "state": "here" if path.is_file() else "missing"})
            continue
        try:
            verify(source, entry.id)
            rows.append({"file": str(path), "state": "right", "well": True})
        except IntertwinerError as error:
            rows.append({"file": str(path), "state": str(error), "well": False})
    return rows
