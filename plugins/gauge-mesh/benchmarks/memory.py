"""Peak memory of one forward and backward pass, each side in a process of its own.

The rows hold bytes in place of seconds: how far the process grew above what it had before
the pass (Linux alone tells); at most a quarter of the reference is asked for.
`python benchmarks/memory.py [--json]`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from intertwiner.benchmark import Row, main

LEVEL = 5
CHILD = """
import sys, torch
from pathlib import Path
sys.path.insert(0, sys.argv[1])
torch.set_num_threads(1)
from layer import KIND, both, layer
from meshes import bumpy_sphere, make_plan
from intertwiner_gauge_mesh.kernels import bmm, reference
from intertwiner_gauge_mesh.kernels.compiled import operation as compiled
def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))
kernel = {"reference": reference, "bmm": bmm, "compiled": compiled}[sys.argv[2]]
small = make_plan(*bumpy_sphere(1))
both(layer(small, kernel), torch.zeros(small.vertices, KIND.width))
plan = make_plan(*bumpy_sphere(int(sys.argv[3])))
run, x = layer(plan, kernel), torch.ones(plan.vertices, KIND.width)
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
both(run, x)
print(status("VmHWM") - before)
"""


def measure(repeats: int) -> Iterator[Row]:
    """One run each: a peak does not vary."""
    slow = grown("reference")
    for name, kernel in (("plain torch", "bmm"), ("C++", "compiled")):
        ours = max(grown(kernel), 1)
        ratio = slow / ours
        yield Row(
            f"peak memory in bytes, {name}, 10.2k vertices",
            ours,
            "reference",
            slow,
            ratio,
            ratio,
            ratio,
            4.0,
            ratio >= 4.0,
        )


def grown(kernel: str) -> int:
    """Bytes that the peak grew by during the pass."""
    command = [sys.executable, "-c", CHILD, str(Path(__file__).parent), kernel, str(LEVEL)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(run.stdout.split()[-1])


if __name__ == "__main__":
    main(__doc__ or "", measure)
