"""The operation beside e3nn's `TensorProduct` and `index_add`, in one process, in turn.

A batch of 32 molecules of 14 atoms with all pairs within 4 angstrom, as in training on small
molecules. `python benchmarks/run.py [--json] [--repeats N] [--threads N]`.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from e3nn import o3
from torch import Tensor

from intertwiner_equivariant_conv.kernels import blocked
from intertwiner_equivariant_conv.layers.paths import path_table
from intertwiner_equivariant_conv.layers.spherical_harmonics import spherical_harmonics

CASES = ((1, 32), (1, 128), (2, 32), (2, 64))
MOLECULES, ATOMS, NEIGHBORS = 32, 14, 10


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--repeats", type=int, default=7)
    options.add_argument("--threads", type=int, default=1)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    rows = [row for case in CASES for row in measure(*case, chosen.repeats)]
    machine = f"{platform.machine()} {platform.system()}, torch {torch.__version__}"
    if chosen.json:
        print(json.dumps({"machine": machine, "threads": chosen.threads, "rows": rows}))
        return
    print(machine)
    for row in rows:
        ours, other = row["ours_s"] * 1e3, row["other_s"] * 1e3
        print(
            f"{row['name']:42s} {ours:8.2f} ms, e3nn {other:8.2f} ms, "
            f"ratio {row['ratio']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        )


def measure(lmax: int, channels: int, repeats: int) -> list[dict[str, Any]]:
    """Rows for forward, forward with gradients, and those with gradients of gradients."""
    arguments = make_graph(lmax, channels)
    sides = (blocked.tensor_product_scatter, e3nn_product(lmax, channels))
    modes = {"forward": forward, "forward + backward": first, "force training": second}
    return [
        compare(f"lmax {lmax}, {channels} channels, {name}", mode, sides, arguments, repeats)
        for name, mode in modes.items()
    ]


def make_graph(lmax: int, channels: int) -> tuple[Any, ...]:
    generator = torch.Generator().manual_seed(0)
    nodes, edges = MOLECULES * ATOMS, MOLECULES * ATOMS * NEIGHBORS
    target = torch.arange(nodes).repeat_interleave(NEIGHBORS)
    offset = torch.randint(1, ATOMS, (edges,), generator=generator)
    source = target // ATOMS * ATOMS + (target % ATOMS + offset) % ATOMS
    direction = torch.nn.functional.normalize(torch.randn(edges, 3, generator=generator))
    features = torch.randn(nodes, (lmax + 1) ** 2, channels, generator=generator)
    weights = torch.randn(edges, len(path_table(lmax, lmax)) * channels, generator=generator)
    return features, spherical_harmonics(direction, lmax), weights, source, target, nodes


def e3nn_product(lmax: int, channels: int) -> Callable[..., Tensor]:
    """The same operation from e3nn, on its own layout; the values are not rearranged."""
    table = path_table(lmax, lmax)
    irreps = [(1, (order, (-1) ** order)) for order in range(lmax + 1)]
    product = o3.TensorProduct(
        [(channels, ir) for _, ir in irreps],
        irreps,
        [(channels, (path.l3, (-1) ** path.l3)) for path in table.paths],
        [(path.l1, path.l2, number, "uvu", True) for number, path in enumerate(table.paths)],
        shared_weights=False,
        internal_weights=False,
    )

    def run(x: Tensor, y: Tensor, w: Tensor, source: Tensor, target: Tensor, nodes: int) -> Tensor:
        message = product(x.flatten(1)[source], y, w)
        return x.new_zeros(nodes, message.shape[1]).index_add(0, target, message)

    return run


def forward(run: Callable[..., Tensor], x: Tensor, y: Tensor, w: Tensor, *graph: Any) -> None:
    with torch.no_grad():
        run(x, y, w, *graph)


def first(run: Callable[..., Tensor], x: Tensor, y: Tensor, w: Tensor, *graph: Any) -> None:
    leaves = x.requires_grad_(), w.requires_grad_()
    torch.autograd.grad(run(x, y.detach(), w, *graph).sum(), leaves)


def second(run: Callable[..., Tensor], x: Tensor, y: Tensor, w: Tensor, *graph: Any) -> None:
    leaves = x.requires_grad_(), y.detach().requires_grad_(), w.requires_grad_()
    out = run(*leaves, *graph).square().sum()
    (slope,) = torch.autograd.grad(out, leaves[1], create_graph=True)
    torch.autograd.grad(slope.square().sum(), (leaves[0], leaves[2]))


def compare(
    name: str,
    mode: Callable[..., None],
    sides: tuple[Callable[..., Tensor], ...],
    arguments: tuple[Any, ...],
    repeats: int,
) -> dict[str, Any]:
    """Medians of interleaved repeats; `low` and `high` are quartiles of the ratio."""
    times: list[tuple[float, ...]] = []
    for _ in range(repeats + 1):
        times.append(tuple(clock(mode, side, arguments) for side in sides))
    kept = times[1:]
    ratios = sorted(other / ours for ours, other in kept)
    ours, other = (statistics.median(column) for column in zip(*kept, strict=True))
    low, _, high = statistics.quantiles(ratios, n=4)
    ratio = statistics.median(ratios)
    required = 1.0
    return {
        "name": name,
        "ours_s": ours,
        "other": "e3nn",
        "other_s": other,
        "ratio": ratio,
        "low": low,
        "high": high,
        "required": required,
        "holds": ratio >= required,
    }


def clock(mode: Callable[..., None], side: Callable[..., Tensor], arguments: Any) -> float:
    started = time.process_time()
    mode(side, *arguments)
    return time.process_time() - started


if __name__ == "__main__":
    main()
