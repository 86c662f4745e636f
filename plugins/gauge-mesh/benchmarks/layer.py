"""The layer in plain torch and in C++ beside the edge-wise reference and a GCNConv of equal width.

16 channels of orders 0, 1 and 2 to the same, two rings, float32: 80 numbers a vertex, as
`GCNConv(80, 80)` has, whose normalisation is cached as the plan is here. Phases and gradients of
the plan are part of no time. `python benchmarks/layer.py [--json] [--repeats N] [--threads N]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from meshes import make_plan, meshes
from torch import Tensor
from torch_geometric.nn import GCNConv

from intertwiner.benchmark import Row, compare, main
from intertwiner_gauge_mesh.kernels import bmm, reference
from intertwiner_gauge_mesh.kernels.compiled import operation as compiled
from intertwiner_gauge_mesh.layers.convolution import GaugeConv
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.types import FeatureType

KIND = FeatureType.uniform(16, 2)
KERNELS = (("plain torch", bmm, 4.0, 3.3), ("C++", compiled, 10.0, 8.0))
AGAINST_GCN = {"10.2k vertices": 1 / 1.5, "41.0k vertices": 1.0}

Run = Callable[[Tensor], Tensor]


def measure(repeats: int) -> Iterator[Row]:
    """For every mesh: two kernels against the reference, and the compiled one against GCNConv."""
    for name, pos, face in meshes():
        plan = make_plan(pos, face)
        x = torch.randn(plan.vertices, KIND.width, generator=torch.Generator().manual_seed(0))
        slow = layer(plan, reference)
        for kernel, module, forward_goal, both_goal in KERNELS:
            goals = (forward_goal, both_goal)
            yield from pair(f"{kernel}, {name}", layer(plan, module), slow, x, repeats, goals)
        against = (None, AGAINST_GCN.get(name))
        fast, plain = layer(plan, compiled), graph_convolution(plan)
        yield from pair(f"C++, {name}", fast, plain, x, repeats, against, "GCNConv")


def pair(
    name: str,
    fast: Run,
    slow: Run,
    x: Tensor,
    repeats: int,
    goals: tuple[float | None, float | None],
    against: str = "reference",
) -> Iterator[Row]:
    """Forward, and forward with backward."""
    modes = (("forward", forward), ("forward + backward", both))
    for (mode, work), required in zip(modes, goals, strict=True):
        yield compare(
            f"{name}, {mode}",
            partial(work, fast, x),
            partial(work, slow, x),
            against=against,
            repeats=repeats,
            required=required,
        )


def layer(plan: MeshPlan, kernel: object) -> Run:
    """The layer served by one kernel, its parameters learned too."""
    reach = float(plan.length.max())
    module = GaugeConv(KIND, KIND, reach=reach, generator=torch.Generator().manual_seed(1))
    graph = plan.graph(rings=2, reach=reach)
    parameters = module.weight, module.self_weight, module.bias
    return lambda x: kernel.gauge_aggregate(x, *parameters, graph, KIND, KIND)


def graph_convolution(plan: MeshPlan) -> Run:
    """A graph convolution with as many numbers a vertex."""
    module = GCNConv(KIND.width, KIND.width, cached=True)
    edges = torch.stack([plan.source, plan.target])
    return lambda x: module(x, edges)


def forward(run: Run, x: Tensor) -> None:
    with torch.no_grad():
        run(x)


def both(run: Run, x: Tensor) -> None:
    leaf = x.detach().requires_grad_()
    out = run(leaf)
    out.backward(torch.ones_like(out))


if __name__ == "__main__":
    main(__doc__ or "", measure)
