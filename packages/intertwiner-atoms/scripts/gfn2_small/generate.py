"""The whole run: candidates, outcomes, arrays, file."""

import platform
import sys
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rdkit import Chem, rdBase

from .arrays import DESCRIPTIONS, row, stacked
from .compute import compute
from .filters import FILTERS
from .geometry import Rejected
from .pack import Meta, packed, write_atomically
from .recipe import SCRIPT_VERSION, Recipe
from .selection import candidates
from .splits import PARTS
from .worklog import Outcome, WorkLog

_PACKAGES = ("numpy", "rdkit", "scipy", "tblite")


def generate(recipe: Recipe, out: Path, work_file: Path, count: int | None = None) -> None:
    """Write the data set to ``out``; outcomes already in ``work_file`` are not computed again.

    ``count`` keeps the first so many candidates, a random subset of them all. The work file is
    removed once ``out`` is on disk.
    """
    _say("enumerating molecules")
    chosen = candidates(recipe)[:count]
    with rdBase.BlockLogs(), WorkLog(work_file, identity(recipe)) as log:
        _complete(recipe, chosen, log)
        outcomes = log.outcomes[: len(chosen)]
    rows = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    meta = provenance(recipe, chosen, outcomes)
    write_atomically(out, packed(stacked(rows), meta))
    work_file.unlink()
    _say(f"\n{len(rows)} molecules in {out} ({out.stat().st_size:,} bytes)\n")


def identity(recipe: Recipe) -> dict[str, Any]:
    """Return what two runs must share for their outcomes to be interchangeable."""
    return {
        "script_version": SCRIPT_VERSION,
        # Keys of nested tables become text here, as they will in JSON.
        "recipe": {
            key: {str(k): v for k, v in value.items()} if isinstance(value, dict) else value
            for key, value in asdict(recipe).items()
        },
        "versions": {package: version(package) for package in _PACKAGES}
        | {"python": platform.python_version(), "zlib": zlib.ZLIB_RUNTIME_VERSION},
    }


def provenance(recipe: Recipe, chosen: Sequence[str], outcomes: Sequence[Outcome]) -> Meta:
    """Return the ``meta`` of the file: what it is, how it was made and what was left out."""
    left_out = Counter(outcome for outcome in outcomes if isinstance(outcome, str))
    finished = [
        s for s, outcome in zip(chosen, outcomes, strict=True) if not isinstance(outcome, str)
    ]
    return identity(recipe) | {
        "name": "gfn2-small",
        "summary": "GFN2-xTB labels of enumerated molecules of H, C, N, O and F. Not QM9.",
        "method": "GFN2-xTB (Bannwarth, Ehlert, Grimme 2019, doi:10.1021/acs.jctc.8b01176)",
        "licence": "MIT",
        "arrays": DESCRIPTIONS,
        "parts": PARTS,
        "filters": [rule.name for rule in FILTERS],
        "candidates": len(chosen),
        "molecules": len(finished),
        "molecules_by_heavy_atoms": {
            str(size): number
            for size, number in sorted(Counter(map(_heavy_atoms, finished)).items())
        },
        "left_out": dict(sorted(left_out.items())),
    }


def _complete(recipe: Recipe, chosen: Sequence[str], log: WorkLog) -> None:
    """Compute the outcomes the log lacks, with a progress line on standard error."""
    began, first = time.monotonic(), len(log.outcomes)
    for done, smiles in enumerate(chosen[first:], start=first + 1):
        log.append(_outcome(recipe, smiles))
        pace = (time.monotonic() - began) / (done - first)
        _say(
            f"\r{done}/{len(chosen)}  {pace:.2f} s each, {pace * (len(chosen) - done):.0f} s left "
        )


def _outcome(recipe: Recipe, smiles: str) -> Outcome:
    try:
        return row(compute(recipe, smiles))
    except Rejected as error:
        return str(error)


def _heavy_atoms(smiles: str) -> int:
    return int(Chem.MolFromSmiles(smiles).GetNumAtoms())


def _say(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)
