"""`intertwiner new NAME`: the first files of a plugin, whose tests pass as written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from intertwiner.cli._shared import parser, print_json
from intertwiner.skeleton import PARTS, write_skeleton

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    options = parser("new", "write the first files of a plugin, whose tests pass as written")
    options.add_argument("name", help="lower case, digits and hyphens, such as pair-potential")
    for part in PARTS:
        options.add_argument(f"--{part}", action="store_true", help=f"with an example {part}")
    options.add_argument("--out", type=Path, help="the folder to make (default NAME)")
    chosen = options.parse_args(arguments)
    asked = [part for part in PARTS if getattr(chosen, part)] or PARTS[:2]
    folder = chosen.out or Path(chosen.name)
    written = write_skeleton(chosen.name, folder, asked)
    if chosen.json:
        files = [str(path) for path in written]
        print_json({"plugin": chosen.name, "parts": list(asked), "files": files})
        return 0
    for path in written:
        print(path)
    print(f"\n{chosen.name} with {', '.join(asked)}; next:")
    print(f"  pip install -e '{folder}[test]'")
    print(f"  intertwiner check {chosen.name}")
    return 0
