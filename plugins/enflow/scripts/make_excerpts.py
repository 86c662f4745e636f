"""Makes the files in `intertwiner_enflow/data`: `python scripts/make_excerpts.py [NAME ...]`."""

from __future__ import annotations

import sys

from intertwiner.atomic import write_atomically
from intertwiner_enflow.datasets.excerpt import excerpt_file
from intertwiner_enflow.datasets.store import packed
from intertwiner_enflow.generators import generate
from intertwiner_enflow.targets import DoubleWell, LennardJones, Target

SEED = 1_000
EXCERPTS: tuple[tuple[Target, int], ...] = (
    (DoubleWell(), 2_000),
    (LennardJones(13, pair="half"), 1_000),
    (LennardJones(13, pair="double"), 1_000),
    (LennardJones(55, pair="half"), 100),
    (LennardJones(55, pair="double"), 100),
)


def main() -> None:
    chosen = sys.argv[1:]
    for target, count in EXCERPTS:
        if chosen and target.name not in chosen:
            continue
        made = generate(target, count, SEED)
        write_atomically(excerpt_file(target), [packed(made, SEED)])
        print(target.name, count)
        print(*(f"  {check}" for check in made.checks), sep="\n")


if __name__ == "__main__":
    main()
