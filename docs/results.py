"""Prints `docs/results.md`: every row of every package's `benchmarks/run.py`, measured anew.

`python docs/results.py [NAME ...] [--repeats N] [--threads N [N ...]] [--json] [--out FILE]`, or
`nox -s bench -- ...`. A NAME is a package's folder, such as gauge-mesh; without one all are
measured. Rows appear on standard error as they are measured. The exit status is 1 when a benchmark
could not be run; what the others gave is printed all the same.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("packages", "plugins")
HEAD = """# Results

Printed by `nox -s bench -- --out docs/results.md`, which measures every row anew. Both sides run in
one process, in turn; times are medians, on one thread of the processor alone counted in CPU time.
The ratio is the other's time over ours, its median over the repeats with quartiles: more is better.
"""
COLUMNS = ("what", "ours", "against", "its time", "ratio", "quartiles", "required", "holds")


@dataclass(frozen=True, slots=True)
class Measured:
    """What the benchmarks of a package gave with a number of threads; error: why they did not."""

    package: str
    threads: int
    machine: str = ""
    rows: Sequence[dict[str, Any]] = ()
    error: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    chosen = options().parse_args(arguments)
    found = []
    for package, script in chosen_scripts(chosen.names):
        for threads in chosen.threads:
            print(f"{package}, {threads} threads", file=sys.stderr, flush=True)
            found.append(measure(package, script, threads, chosen.repeats))
    text = as_json(found) if chosen.json else page(found)
    if chosen.out is None:
        print(text, end="")
    else:
        chosen.out.write_text(text, encoding="utf-8")
    for result in found:
        if result.error:
            print(f"error: {result.package}: {result.error}", file=sys.stderr)
    return int(any(result.error for result in found))


def options() -> argparse.ArgumentParser:
    """Of the command line."""
    parser = argparse.ArgumentParser(description="measure and print docs/results.md")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a package's folder")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--json", action="store_true", help="JSON in place of the page")
    parser.add_argument("--out", type=Path, help="write there, not to standard output")
    return parser


def chosen_scripts(names: Sequence[str], root: Path = ROOT) -> list[tuple[str, Path]]:
    """(package, its run.py) of these packages, all without a name. Exits for an unknown name."""
    scripts = [path for kind in KINDS for path in sorted(root.glob(f"{kind}/*/benchmarks/run.py"))]
    known = {script.parts[-3]: script for script in scripts}
    if unknown := set(names) - set(known):
        raise SystemExit(f"no benchmarks of {', '.join(sorted(unknown))}; of {', '.join(known)}")
    return [(name, known[name]) for name in (names or known)]


def measure(package: str, script: Path, threads: int, repeats: int) -> Measured:
    """Runs one package's benchmarks in a process of their own."""
    command = [sys.executable, str(script), "--json"]
    command += ["--repeats", str(repeats), "--threads", str(threads)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        return Measured(package, threads, error=f"{script} ended with status {run.returncode}")
    document = json.loads(run.stdout)
    return Measured(package, threads, document["machine"], document["rows"])


def as_json(found: Iterable[Measured]) -> str:
    """{"packages": [{"package", "threads", "machine", "rows", "error"}]}."""
    return json.dumps({"packages": [asdict(result) for result in found]}, indent=2) + "\n"


def page(found: Sequence[Measured]) -> str:
    """The page in Markdown."""
    rows = [row for result in found for row in result.rows]
    required = [row for row in rows if row["required"] is not None]
    missed = [row for row in required if not row["holds"]]
    told = (
        f"{len(rows)} rows, {len(required)} of them with a least ratio required, "
        f"{len(missed)} of which fall short of it.\n"
    )
    return "\n".join([HEAD, told, *(line for result in found for line in section(result))]) + "\n"


def section(result: Measured) -> Iterator[str]:
    """The lines on one package."""
    yield f"## {result.package}, {result.threads} thread{'s' * (result.threads > 1)}\n"
    if result.error:
        yield "Not measured: its benchmarks failed.\n"
        return
    yield f"{result.machine}\n"
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---|---:|---|---:|---:|---:|---:|---|"
    yield from map(line, result.rows)
    yield ""


def line(row: dict[str, Any]) -> str:
    """A row of the table."""
    show = megabytes if "in bytes" in row["name"] else milliseconds
    cells = [
        row["name"].replace("|", "\\|"),
        show(row["ours_s"]),
        row["other"],
        show(row["other_s"]),
        f"{row['ratio']:.2f}",
        f"{row['low']:.2f} to {row['high']:.2f}",
        "" if row["required"] is None else f"{row['required']:.2f}",
        {True: "yes", False: "**no**", None: ""}[row["holds"]],
    ]
    return f"| {' | '.join(cells)} |"


def milliseconds(seconds: float) -> str:
    """To three digits."""
    return f"{seconds * 1e3:#.3g} ms".replace(". ", " ")


def megabytes(count: float) -> str:
    """To three digits."""
    return f"{count / 1e6:#.3g} MB".replace(". ", " ")


if __name__ == "__main__":
    raise SystemExit(main())
