"""`intertwiner check PLUGIN`: the conformance kit."""

from __future__ import annotations

from collections.abc import Sequence

from intertwiner.cli._shared import installed, parser, print_json

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    options = parser("check", "hold a plugin against the conformance kit")
    options.add_argument("plugin", help="name of an installed plugin")
    chosen = options.parse_args(arguments)
    installed().plugin(chosen.plugin)

    from intertwiner.conformance.run import run

    result = run(chosen.plugin)
    if chosen.json:
        print_json(result.to_json())
    else:
        print(result)
    return 0 if result.well else 1
