"""What the plan of a mesh costs, beside one forward and backward pass of the compiled layer.

`python benchmarks/plan.py [--json] [--repeats N] [--threads N]`.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from layer import KIND, both, layer
from meshes import make_plan, meshes

from intertwiner.benchmark import Row, compare, main
from intertwiner_gauge_mesh.kernels.compiled import operation as compiled


def measure(repeats: int) -> Iterator[Row]:
    """The ratio is layer / plan: 1 or more is asked for."""
    for name, pos, face in meshes():
        plan = make_plan(pos, face)
        x = torch.randn(plan.vertices, KIND.width, generator=torch.Generator().manual_seed(0))
        run = layer(plan, compiled)
        yield compare(
            f"plan, {name}",
            lambda pos=pos, face=face: make_plan(pos, face),
            lambda run=run, x=x: both(run, x),
            against="one layer",
            repeats=repeats,
            required=1.0,
        )


if __name__ == "__main__":
    main(__doc__ or "", measure)
