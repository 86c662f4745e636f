"""Memory of the exact log-density, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import resource, sys, torch
from contextlib import nullcontext
from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.kernels.choice import torch_form
velocity, x, t = EgnnVelocity(3), torch.randn(100, 13, 3), torch.rand(100)
with torch.no_grad(), torch_form() if sys.argv[1] == "torch" else nullcontext():
    velocity.divergence(t[:1], x[:1])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    velocity.divergence(t, x)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="sizes are in kilobytes on Linux")
@pytest.mark.parametrize("form", ["compiled", "torch"])
def test_the_exact_divergence_of_100_clusters_of_13_takes_less_than_half_a_gigabyte(
    form: str,
) -> None:
    command = [sys.executable, "-c", CODE, form]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(run.stdout) < 0.5 * 2**20
