"""`intertwiner check PLUGIN`: the conformance kit."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from intertwiner.cli._shared import installed, parser, print_json
from intertwiner.errors import RunError

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    options = parser("check", "hold a plugin against the conformance kit")
    options.add_argument("plugin", help="name of an installed plugin")
    chosen = options.parse_args(arguments)
    installed().plugin(chosen.plugin)
    try:
        from intertwiner.conformance.run import run
    except ModuleNotFoundError as error:
        if error.name != "pytest":
            raise
        raise RunError("check needs pytest; run: pip install 'intertwiner[check]'") from error
    result = run(chosen.plugin)
    if chosen.json:
        print_json(result.to_json())
    else:
        print(result, file=sys.stdout)
    return 0 if result.well else 1
