"""`python -m intertwiner_fedchem.flower.control COMMANDS`: several of Flower's commands in one go.

COMMANDS is a JSON list of lists of words; each prints its answer as JSON. They share a process,
because the import of Flower takes longer than all of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

__all__ = ["answers_in", "main"]


def main(commands: Sequence[Sequence[str]]) -> None:
    """Runs `flwr WORDS --format json`, command by command."""
    import typer
    from flwr.cli.app import app

    command = typer.main.get_command(app)
    for words in commands:
        command.main([*words, "--format", "json"], prog_name="flwr", standalone_mode=False)


def answers_in(text: str) -> list[dict[str, Any]]:
    """The JSON objects that stand in `text`, one after the other."""
    decoder, found = json.JSONDecoder(), []
    start = text.find("{")
    while start >= 0:
        answer, end = decoder.raw_decode(text, start)
        found.append(answer)
        start = text.find("{", end)
    return found


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
