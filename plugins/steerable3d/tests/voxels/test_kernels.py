"""Every form of `voxelise` is the definition, with its derivatives."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest
import torch

from intertwiner.compiled import forget
from intertwiner.kernels import KernelFallback
from intertwiner_steerable3d.errors import InvalidInput
from intertwiner_steerable3d.voxels import reference, scatter
from intertwiner_steerable3d.voxels.compiled import operation as compiled
from intertwiner_steerable3d.voxels.triton import operation as triton

FORMS = pytest.mark.parametrize("form", [scatter.voxelise, compiled.voxelise])


def examples(dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    return reference.examples(dtype, torch.device("cpu"), generator)


@FORMS
def test_values_are_those_of_the_dense_sum(form):
    for given in examples():
        torch.testing.assert_close(form(*given), reference.voxelise(*given), rtol=1e-12, atol=1e-14)


@FORMS
def test_derivatives_are_those_of_finite_differences(form):
    places, weights, widths, *rest = examples()[2]
    leaves = [item.clone().requires_grad_() for item in (places, weights, widths)]
    assert torch.autograd.gradcheck(lambda *given: form(*given, *rest), leaves)


def test_plain_torch_has_second_derivatives():
    places, weights, widths, *rest = examples()[2]
    leaves = [item.clone().requires_grad_() for item in (places, weights, widths)]
    assert torch.autograd.gradgradcheck(lambda *given: scatter.voxelise(*given, *rest), leaves)


@FORMS
def test_bits_do_not_depend_on_which_grids_are_made_together(form):
    places, weights, widths, channel, ptr, *rest = examples(torch.float32)[0]
    together = form(places, weights, widths, channel, ptr, *rest)
    for grid in range(len(ptr) - 1):
        own = slice(int(ptr[grid]), int(ptr[grid + 1]))
        count = torch.tensor([0, own.stop - own.start])
        alone = form(places[own], weights[own], widths[own], channel[own], count, *rest)
        assert torch.equal(alone[0], together[grid])
    assert torch.equal(form(places, weights, widths, channel, ptr, *rest), together)


@FORMS
def test_no_grid_and_no_atom_give_empty_and_zero_volumes(form):
    none = torch.zeros(0, 3), torch.zeros(0), torch.ones(0, 3), torch.zeros(0, dtype=torch.int64)
    assert form(*none, torch.tensor([0]), 2, (3, 4, 5), 4.0).shape == (0, 2, 3, 4, 5)
    assert not form(*none, torch.tensor([0, 0]), 2, (3, 4, 5), 4.0).any()


def test_many_atoms_in_pieces_give_the_same_sum(monkeypatch):
    given = examples()[0]
    monkeypatch.setattr(scatter, "LARGEST", 3000)
    torch.testing.assert_close(scatter.voxelise(*given), reference.voxelise(*given))


def test_without_a_compiler_plain_torch_serves_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("INTERTWINER_DATA", str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler")
    forget()
    given = examples()[0]
    try:
        with pytest.warns(KernelFallback, match="steerable3d-voxelise"):
            found = compiled.voxelise(*given)
    finally:
        forget()
    torch.testing.assert_close(found, reference.voxelise(*given))


COMPARE = """
import torch
from intertwiner_steerable3d.voxels import reference
from intertwiner_steerable3d.voxels.triton.operation import voxelise
worst = 0.0
generator = torch.Generator().manual_seed(1)
for given in reference.examples(torch.float64, torch.device("cpu"), generator):
    found = []
    for run in (reference.voxelise, voxelise):
        leaves = [item.clone().requires_grad_() for item in given[:3]]
        out = run(*leaves, *given[3:])
        slopes = torch.sin(torch.arange(out.numel(), dtype=out.dtype)).view_as(out)
        found.append([out.detach(), *torch.autograd.grad(out, leaves, slopes)])
    for one, other in zip(*found, strict=True):
        worst = max(worst, float((one - other).abs().max()))
print("worst", worst)
"""


@pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="needs Triton: pip install triton"
)
def test_interpreted_triton_kernels_are_the_definition():
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    command = [sys.executable, "-W", "ignore", "-c", COMPARE]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    assert float(run.stdout.split()[-1]) < 1e-12


def test_triton_on_the_cpu_says_what_it_needs():
    with pytest.raises(InvalidInput, match="CUDA device"):
        triton.voxelise(*examples()[0])


def test_lists_of_tiles_hold_every_atom_that_reaches_them():
    places = torch.tensor([[1.0, 1, 1], [7.9, 4, 4], [30, 4, 4]], dtype=torch.float64)
    widths = torch.full((3, 3), 0.5, dtype=torch.float64)
    shape = (2, (16, 8, 8), 2.0)
    first, atoms = triton.bins(places, widths, torch.tensor([0, 1, 1]), shape)
    assert first.tolist() == [0, 1, 1, 2, 3]
    assert atoms.tolist() == [0, 1, 1]
