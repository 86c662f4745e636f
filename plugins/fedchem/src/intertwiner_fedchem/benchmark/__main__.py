"""`python -m intertwiner_fedchem.benchmark FOLDER`: the table of the runs finished so far."""

from __future__ import annotations

import sys
from pathlib import Path

from intertwiner.cli._shared import table
from intertwiner.training.recipes import ArmResult
from intertwiner_fedchem.benchmark.report import report
from intertwiner_fedchem.benchmark.table import finished_runs


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write("python -m intertwiner_fedchem.benchmark FOLDER (--out of reproduce)\n")
        return 2
    folder = Path(arguments[0])
    found = [ArmResult(arm, seed, path, 0, 0.0, {}) for arm, seed, path in finished_runs(folder)]
    made = report(found, folder)
    lines = [table(made.columns, made.rows), *made.notes, *map(str, made.pictures)]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
