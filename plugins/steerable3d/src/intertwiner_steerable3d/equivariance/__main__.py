"""`python -m intertwiner_steerable3d.equivariance [--seeds N] [--picture FILE]`.

Prints the discretisation error of every element of every basis, and that of random networks of
three layers; draws the error of such networks over the angle of a turn.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from intertwiner_steerable3d.equivariance.elements import BASES, element_table
from intertwiner_steerable3d.equivariance.network import angle_curve, network_error
from intertwiner_steerable3d.errors import BasisWarning

__all__ = ["main", "table"]

ANGLES = tuple(range(0, 181, 5))


def table(seeds: int) -> Iterator[str]:
    """The lines of both tables."""
    yield "relative error under rotation of single elements (input blurred by 1 voxel)"
    yield f"{'basis':<14}{'size':>5}{'order':>6}  radial functions"
    for name, size, order, errors in element_table():
        yield f"{name:<14}{size:>5}{order:>6}  " + " ".join(f"{error:.3f}" for error in errors)
    yield ""
    yield f"random networks of three layers, median of {seeds} seeds (32 fields each)"
    yield f"{'basis':<14}{'size':>5}   blur 1.0   blur 0.7"
    for size in (3, 5, 7):
        for name, basis in BASES.items():
            found = [network_error(basis, size, blur=blur, seeds=seeds) for blur in (1.0, 0.7)]
            yield f"{name:<14}{size:>5}" + "".join(f"{error:11.3f}" for error in found)


def draw(path: Path, size: int = 5) -> None:
    """The error over the angle of a turn about the z axis, a curve a basis, as a PNG."""
    from matplotlib.figure import Figure  # not at the top: pictures are an extra

    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    for name, basis in BASES.items():
        axes.plot(ANGLES, angle_curve(basis, size, ANGLES), label=name)
    axes.set(
        xlabel="turn about the z axis / degree",
        ylabel="relative error of three layers",
        title=f"Kernels of {size}³ voxels: exact at multiples of 90°",
        xticks=range(0, 181, 45),
    )
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.savefig(path, dpi=150)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the tables, and draws where a file is named."""
    parser = argparse.ArgumentParser(prog="python -m intertwiner_steerable3d.equivariance")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--picture", type=Path, help="PNG of the error over angles")
    chosen = parser.parse_args(arguments)
    warnings.simplefilter("ignore", BasisWarning)  # some bases reach no field of order 3 at size 3
    for line in table(chosen.seeds):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    if chosen.picture is not None:
        draw(chosen.picture)


if __name__ == "__main__":
    main()
