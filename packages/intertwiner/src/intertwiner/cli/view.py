"""`intertwiner view RUN|FILE`: learning curves of a run, molecules of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from intertwiner.cli._shared import installed, parser
from intertwiner.fields import Structure

__all__ = ["main"]

MOST = 12


def main(arguments: Sequence[str]) -> int:
    options = parser("view", "draw the curves of a run, or the molecules of a file", as_json=False)
    options.add_argument("what", type=Path, help="a run folder, or a structure file")
    options.add_argument("--out", type=Path, help="PNG (or HTML for molecules) to write")
    chosen = options.parse_args(arguments)
    if chosen.what.is_dir():
        from intertwiner.view.run import draw_run

        pictures = draw_run(chosen.what, chosen.out)
    else:
        pictures = [_draw_file(chosen.what, chosen.out)]
    for picture in pictures:
        print(picture)
    return 0


def _draw_file(path: Path, out: Path | None) -> Path:
    from intertwiner.readers import read_file
    from intertwiner.view.molecules import draw_molecules

    records = read_file(installed(), path, Structure.ATOMS)
    if len(records) > MOST:
        print(f"{path}: {len(records)} records; the first {MOST} are drawn")
    return draw_molecules(records[:MOST], out or path.with_suffix(".png"))
