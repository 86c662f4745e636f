"""`intertwiner list`: what is installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from intertwiner.cli._shared import installed, parser, print_json, table
from intertwiner.registry import KINDS, Entry, Registry

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    options = parser("list", "what is installed")
    options.add_argument("kind", nargs="?", choices=list(KINDS), help="only items of this kind")
    chosen = options.parse_args(arguments)
    registry = installed()
    kinds = [chosen.kind] if chosen.kind else list(KINDS)
    if chosen.json:
        print_json(_as_json(registry, kinds))
    else:
        print(_as_text(registry, kinds))
    return 0


def _as_json(registry: Registry, kinds: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        kind: [_item(kind, entry) for entry in registry.entries(kind)] for kind in kinds
    }
    return {**found, "failed": [asdict(failure) for failure in registry.failed]}


def _item(kind: str, entry: Entry[Any]) -> dict[str, Any]:
    spec = entry.spec
    return {
        "id": entry.id,
        "plugin": entry.plugin,
        "version": entry.version,
        "summary": spec.summary,
        **_details(kind, spec),
    }


def _details(kind: str, spec: Any) -> dict[str, Any]:
    """What is particular to a kind of item."""
    if kind == "models":
        symmetry = None if spec.symmetry is None else str(spec.symmetry)
        return {"reads": spec.reads, "tasks": spec.tasks, "symmetry": symmetry}
    if kind == "datasets":
        targets = [str(field) for field in spec.targets]
        return {"gives": spec.gives, "targets": targets, "offline": spec.offline}
    if kind == "kernels":
        return {"op": spec.op, "device": spec.device}
    if kind == "adapters":
        return {"takes": spec.takes, "gives": spec.gives, "suffixes": spec.suffixes}
    if kind == "recipes":
        return {"model": spec.model, "dataset": spec.dataset, "scales": [*spec.scales]}
    return {}


def _as_text(registry: Registry, kinds: Sequence[str]) -> str:
    blocks = []
    for kind in kinds:
        rows = [(entry.id, entry.version, entry.spec.summary) for entry in registry.entries(kind)]
        if rows:
            blocks.append(table((kind, "version", ""), rows))
    if not blocks:
        return "No plugin is installed. Install one, for example: pip install intertwiner-atoms"
    return "\n\n".join(blocks)
