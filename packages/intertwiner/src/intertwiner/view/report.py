"""One page that holds everything: tables and pictures in a single HTML file without scripts."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from intertwiner.atomic import write_atomically
from intertwiner.errors import RunError

__all__ = ["REPORT", "Table", "write_report"]

REPORT = "report.html"
Table = tuple[Sequence[str], Sequence[Sequence[object]]]
"""Column titles, and rows of as many cells."""

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff;
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1.5rem 0; }
th, td { text-align: left; padding: .3rem .9rem; border-bottom: 1px solid #ddd; }
td { font-variant-numeric: tabular-nums; }
figure { margin: 2rem 0; } img { max-width: 100%; } figcaption { color: #666; }
"""
_KINDS = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


def write_report(
    folder: Path,
    title: str,
    tables: Iterable[Table],
    pictures: Iterable[Path] = (),
    notes: Iterable[str] = (),
) -> Path:
    """Writes `folder/report.html`, which needs no other file, and returns its path.

    All text is escaped. A picture of a kind that cannot be embedded is linked by its name.

    Raises `RunError` when a picture cannot be read or the folder not be written to.
    """
    body = [f"<h1>{escape(title)}</h1>"]
    body += [_table(columns, rows) for columns, rows in tables]
    body += [f"<p>{escape(note)}</p>" for note in notes]
    body += [_picture(picture) for picture in pictures]
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
    )
    text = page + "\n".join(body) + "\n</body>\n</html>\n"
    write_atomically(folder / REPORT, [text.encode()])
    return folder / REPORT


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _picture(path: Path) -> str:
    name = escape(path.name)
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        return f'<p><a href="{escape(path.name)}">{name}</a></p>'
    try:
        data = base64.b64encode(path.read_bytes()).decode()
    except OSError as error:
        raise RunError(f"{path}: the picture cannot be read ({error.strerror})") from error
    return (
        f'<figure><img src="data:{kind};base64,{data}" alt="{escape(path.stem)}">'
        f"<figcaption>{name}</figcaption></figure>"
    )
