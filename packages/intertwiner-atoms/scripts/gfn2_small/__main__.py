"""Command line: ``python -m gfn2_small --out FILE``."""

import argparse
import os
from pathlib import Path


def main() -> None:
    """Parse the arguments and generate the file, on one thread."""
    parser = argparse.ArgumentParser(prog="gfn2_small", description="Generate gfn2-small.")
    parser.add_argument("--out", type=Path, required=True, help="the npz file to write")
    parser.add_argument("--count", type=int, help="keep only the first so many candidates")
    parser.add_argument(
        "--exhaustive-only",
        action="store_true",
        help="leave out the sampled molecules of six and seven heavy atoms",
    )
    parser.add_argument("--work-file", type=Path, help="outcomes so far (default: OUT.work.jsonl)")
    arguments = parser.parse_args()
    # The numerical libraries read this when they are loaded, hence the imports below: sums split
    # over threads round differently from run to run.
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from .generate import generate
    from .recipe import Recipe

    recipe = Recipe(sampled_candidates={}) if arguments.exhaustive_only else Recipe()
    work_file = arguments.work_file or arguments.out.with_name(arguments.out.name + ".work.jsonl")
    generate(recipe, arguments.out, work_file, arguments.count)


if __name__ == "__main__":
    main()
