"""Memory of a training step above what imports take, each batch in a process of its own.

`python benchmarks/memory.py`: required are 100 MB at batch 24 and 400 MB at batch 128, and less
than 700 MB for the whole process.
"""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
from pathlib import Path

CASES = ((24, 12.0, 100.0), (128, 12.0, 400.0))


def status(name: str) -> float:
    """A line of this process's status in MB: VmRSS now, VmHWM at most since `forget`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def forget() -> None:
    """The peak starts anew from what is held now (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def growth(batch: int, radius: float) -> tuple[float, float]:
    """(above imports, complexes and a first small step; peak of the process) in MB."""
    import torch
    from complexes import complexes
    from step import our_step

    torch.set_num_threads(1)
    records = complexes(batch, radius)
    our_step(complexes(2, 5.0))()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what was freed must not hide what a step takes
    forget()
    before = status("VmRSS")
    step = our_step(records)
    for _ in range(4):
        step()
    return status("VmHWM") - before, status("VmHWM")


def main() -> None:
    match sys.argv[1:]:
        case []:
            for batch, radius, required in CASES:
                command = [sys.executable, __file__, str(batch), str(radius)]
                found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                above, whole = map(float, found.split())
                verdict = "" if above <= required else "  MISSED"
                print(
                    f"batch {batch}: {above:.0f} MB above imports ({required:.0f} allowed), "
                    f"process {whole:.0f} MB{verdict}"
                )
        case [batch, radius]:
            print(*growth(int(batch), float(radius)))
        case other:
            sys.exit(f"no such measurement: {' '.join(other)}")


if __name__ == "__main__":
    main()
