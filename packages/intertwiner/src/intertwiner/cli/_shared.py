"""What several verbs share: parsers, the registry with its failures said, tables, JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from intertwiner.registry import Registry, load_registry

__all__ = ["installed", "parser", "print_json", "table"]


def parser(verb: str, summary: str, *, as_json: bool = True) -> argparse.ArgumentParser:
    """The parser of one verb; `--json` where the verb reports something."""
    made = argparse.ArgumentParser(prog=f"intertwiner {verb}", description=summary)
    if as_json:
        made.add_argument("--json", action="store_true", help="print JSON and nothing else")
    return made


def installed() -> Registry:
    """The registry; a line on standard error for every plugin that was left out."""
    registry = load_registry()
    for failure in registry.failed:
        print(f"warning: {failure}", file=sys.stderr)
    return registry


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, indent=2))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns of text, each as wide as its widest cell, under a ruled head."""
    lines = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    text = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([text[0], "  ".join("-" * width for width in widths), *text[1:]])
