"""Memory of the exact log-density of 100 LJ13 configurations, in a process of its own.

python benchmarks/memory.py [--form torch]
"""

from __future__ import annotations

import argparse
import resource
from contextlib import nullcontext

import torch

from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.flow import Flow
from intertwiner_enflow.kernels.choice import torch_form

REQUIRED_GB = 0.5


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--form", choices=("compiled", "torch"), default="compiled")
    form = options.parse_args().form
    print(f"{form}: {extra_gigabytes(form):.3f} GB above the process, {REQUIRED_GB} allowed")


def extra_gigabytes(form: str) -> float:
    """Peak memory of the process above that of a first, small call."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    flow = Flow(EgnnVelocity(3), 13)
    x = torch.randn(100, 13, 3)
    with torch.no_grad(), nullcontext() if form == "compiled" else torch_form():
        flow.log_prob(x[:1])
        before = _peak()
        flow.log_prob(x)
    return (_peak() - before) / 2**20


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
