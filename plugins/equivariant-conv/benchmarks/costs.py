"""What is not a ratio of times: memory beside e3nn's, first use, and what a second thread brings.

Memory is the growth of the largest resident set over one run of the layer of `layer.py`, each
side in a process of its own. First use is the time until the compiled product of an order has
run once with an empty cache, and again in the next process.
`python benchmarks/costs.py` prints three tables.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time

import layer
import product
import torch

MEMORY_CASES = ((1, 32), (2, 64))
WORKS = {"training": layer.training, "force training": layer.force_training}


def child(*arguments: object, **environment: str) -> float:
    """The number that this script prints for `arguments` in a process of its own."""
    command = [sys.executable, __file__, *map(str, arguments)]
    variables = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def memory_growth(side: str, work: str, lmax: int, channels: int) -> float:
    """Megabytes by which one run raises the peak of this process."""
    torch.set_num_threads(1)
    small = layer.make_graph(20, lmax, 16)
    graph = layer.make_graph(1000, lmax, channels)
    make = layer.tabulated if side == "ours" else layer.with_e3nn
    WORKS[work](small, *make(small))
    run, weights = make(graph)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    WORKS[work](graph, run, weights)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def first_use(lmax: int) -> float:
    """Seconds until the product and its gradients have run once, imports left aside."""
    graph = product.make_graph(lmax, 16)
    started = time.perf_counter()
    product.backward(product.tensor_product_scatter, *graph)
    return time.perf_counter() - started


def run_seconds(threads: int, lmax: int, channels: int) -> float:
    """Median wall seconds of the product with all gradients."""
    torch.set_num_threads(threads)
    graph = product.make_graph(lmax, channels)
    times = []
    for _ in range(12):
        started = time.perf_counter()
        product.backward_all(product.tensor_product_scatter, *graph)
        times.append(time.perf_counter() - started)
    return sorted(times)[len(times) // 2]


def print_tables() -> None:
    print("peak memory of a layer, 1,000 nodes, 15,000 edges [MB]")
    for lmax, channels in MEMORY_CASES:
        for work in WORKS:
            ours, theirs = (
                child("memory", side, work, lmax, channels) for side in ("ours", "e3nn")
            )
            case = f"lmax {lmax}, {channels} channels, {work}"
            print(
                f"  {case:<40} {ours:8.0f}, e3nn {theirs:8.0f}: 1/{theirs / ours:.1f}", flush=True
            )
    print("first use of an order, and of the next process [s]")
    for lmax in (0, 1, 2, 3):
        with tempfile.TemporaryDirectory() as cache:
            first, second = (child("first", lmax, INTERTWINER_DATA=cache) for _ in range(2))
        print(f"  lmax {lmax}: {first:6.2f}, then {second:6.3f}", flush=True)
    print("one thread against two, product with all gradients, 30,000 edges [ms]")
    for lmax, channels in ((1, 64), (2, 64), (2, 128)):
        one, two = (
            child("threads", count, lmax, channels, OMP_NUM_THREADS=str(count)) for count in (1, 2)
        )
        case = f"lmax {lmax}, {channels} channels"
        print(f"  {case:<24} {one * 1e3:7.1f}, {two * 1e3:7.1f}: {one / two:.2f}x", flush=True)


def main() -> None:
    match sys.argv[1:]:
        case []:
            print_tables()
        case ["memory", side, work, lmax, channels]:
            print(memory_growth(side, work, int(lmax), int(channels)))
        case ["first", lmax]:
            print(first_use(int(lmax)))
        case ["threads", threads, lmax, channels]:
            print(run_seconds(int(threads), int(lmax), int(channels)))
        case other:
            sys.exit(f"no such measurement: {' '.join(other)}")


if __name__ == "__main__":
    main()
