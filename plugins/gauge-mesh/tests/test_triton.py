"""The Triton kernels against the definition, interpreted on the CPU in a process of their own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest
import torch

from intertwiner_gauge_mesh.errors import InvalidInput
from intertwiner_gauge_mesh.kernels.random_graph import random_arguments
from intertwiner_gauge_mesh.kernels.triton.layout import (
    fold_matrices,
    from_columns,
    mixing_matrices,
    to_columns,
)
from intertwiner_gauge_mesh.types import FeatureType

needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="needs Triton: pip install triton"
)

COMPARE = """
import torch
from intertwiner_gauge_mesh.kernels import reference
from intertwiner_gauge_mesh.kernels.random_graph import random_arguments
from intertwiner_gauge_mesh.kernels.triton.operation import gauge_aggregate
cases = [("3x0+2x1", "2x0+1x1", 2, 4), ("2x0", "1x0+2x2", 1, 18)]
def derivatives(run, given):
    torch.manual_seed(0)
    leaves = [item.detach().requires_grad_() for item in given[:4]]
    out = run(*leaves, *given[4:])
    cotangent = torch.randn_like(out)
    first = torch.autograd.grad(out, leaves, cotangent, create_graph=True)
    along = [torch.randn(item.shape, dtype=item.dtype) for item in first[:2]]
    return [out, *first, *torch.autograd.grad(first[:2], leaves[:2], along)]
worst = 0.0
for kind_in, kind_out, rings, vertices in cases:
    given = random_arguments(
        kind_in, kind_out, rings, torch.float64, torch.device("cpu"),
        torch.Generator().manual_seed(1), vertices=vertices, highest_degree=2,
    )
    expected = derivatives(reference.gauge_aggregate, given)
    for one, other in zip(derivatives(gauge_aggregate, given), expected, strict=True):
        worst = max(worst, float((one - other).abs().max() / other.abs().max().detach()))
print("worst", worst)
"""


@needs_triton
def test_interpreted_kernels_and_derivatives_are_those_of_the_definition():
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    command = [sys.executable, "-W", "ignore", "-c", COMPARE]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    assert float(run.stdout.split()[-1]) < 1e-12


@pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") == "1", reason="the interpreter is on")
def test_tensors_in_main_memory_are_refused():
    from intertwiner_gauge_mesh.kernels.triton.operation import gauge_aggregate

    given = random_arguments(
        "1x0", "1x0", 1, torch.float32, torch.device("cpu"), torch.Generator().manual_seed(0)
    )
    with pytest.raises(InvalidInput, match="run on a CUDA device, not on cpu"):
        gauge_aggregate(*given)


def test_layouts_and_their_adjoints():
    type_in, type_out = FeatureType.parse("3x0+2x1"), FeatureType.parse("1x0+17x1+2x2")
    g = torch.randn(4, type_out.width, dtype=torch.float64)
    assert torch.equal(from_columns(to_columns(g, type_out), type_out), g)
    weight = torch.randn(2, type_in.width, type_out.width, dtype=torch.float64)
    matrices = mixing_matrices(weight, type_in, type_out)
    slopes = torch.randn_like(matrices)
    folded = fold_matrices(slopes, type_in, type_out)
    assert torch.allclose((matrices * slopes).sum(), (weight * folded).sum())
