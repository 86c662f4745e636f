"""`intertwiner sample RUN --n N`: samples of a generative model, into a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from intertwiner.cli._shared import installed, parser, print_json
from intertwiner.fields import Structure

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    options = parser("sample", "samples from a run of a generative model, into a file")
    options.add_argument("run", type=Path, help="a run folder")
    options.add_argument("--n", type=int, required=True, help="how many samples")
    options.add_argument("--seed", type=int, default=0, help="of the random numbers (default 0)")
    options.add_argument(
        "--out",
        type=Path,
        help="XYZ or NPZ file (default RUN/samples.xyz; .npz if no atoms)",
    )
    options.add_argument("--batch", type=int, default=256, help="samples at a time (default 256)")
    options.add_argument("--quiet", action="store_true", help="no progress")
    chosen = options.parse_args(arguments)
    registry = installed()

    from intertwiner.data.writers import check_suffix, write_records
    from intertwiner.training.run import load_run

    run = load_run(chosen.run, registry)
    out = chosen.out or chosen.run / _usual_name(run)
    check_suffix(out)
    started = time.monotonic()
    records = _sample(run, chosen)
    write_records(out, records)
    seconds = time.monotonic() - started
    if chosen.json:
        found = {"run": str(chosen.run), "samples": len(records), "seed": chosen.seed}
        print_json({**found, "out": str(out), "seconds": round(seconds, 3)})
    else:
        print(f"{len(records)} samples in {out} ({seconds:.1f} s)")
    return 0


def _usual_name(run: Any) -> str:
    return "samples.xyz" if run.schema.structure == Structure.ATOMS else "samples.npz"


def _sample(run: Any, chosen: Any) -> list[Any]:
    """All samples, with a bar on a terminal or a line at the end of each batch elsewhere."""
    from intertwiner.training.progress import TrainingProgress

    records: list[Any] = []
    shown = not chosen.quiet
    with TrainingProgress("sampling", chosen.n, 0, shown=shown) as bar:
        for part in run.samples(chosen.n, seed=chosen.seed, batch_size=chosen.batch):
            records += part
            bar.step(len(part))
            if shown and not bar.live:
                print(f"sampling: {len(records)}/{chosen.n}", file=sys.stderr, flush=True)
    return records
