"""The compiled program and the dense blocks against their references; compiling and its failure."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from intertwiner.compiled import forget, objects
from intertwiner.conformance.checks.kernels import compare_with_reference
from intertwiner.kernels import KernelFallback
from intertwiner.specs import KernelSpec
from intertwiner_enflow.declarations import kernel_specs
from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.dynamics.stack import EgnnStack
from intertwiner_enflow.kernels import mid_tangent as tangents
from intertwiner_enflow.kernels.choice import compiled_is_allowed, torch_form
from intertwiner_enflow.kernels.compiled import library
from intertwiner_enflow.kernels.compiled.library import Kind

COMPILED = library.load(Kind(torch.float64, 2, 8, True, True, True)) is not None
needs_compiler = pytest.mark.skipif(not COMPILED, reason="no C++ compiler on this machine")


HERE = [spec for spec in kernel_specs() if spec.device != "cuda" or torch.cuda.is_available()]


@pytest.mark.parametrize("spec", HERE, ids=lambda spec: spec.name)
def test_kernels_agree_with_their_reference_and_so_do_their_gradients(spec: KernelSpec) -> None:
    deviations = compare_with_reference(spec)
    assert deviations
    for deviation in deviations:
        assert deviation.holds, deviation


@needs_compiler
@pytest.mark.parametrize("particles", [1, 2, 3, 7, 14])
@pytest.mark.parametrize("batch", [1, 8, 9])
def test_values_and_gradients_for_any_number_of_particles_and_samples(
    make_points: Callable[..., Tensor], particles: int, batch: int
) -> None:
    torch.manual_seed(0)
    stack = EgnnStack(2, 8).double()
    x = make_points(batch, particles, 2).requires_grad_()
    h = torch.randn(batch, particles, 8, dtype=torch.float64, requires_grad=True)
    dx, dh = (torch.randn(2, *part.shape, dtype=torch.float64) for part in (x, h))
    weights = [p for p in stack.parameters() if p.requires_grad]
    found = []
    for compiled in (True, False):
        outputs = (
            stack.tangents(x, dx, h, dh) if compiled else stack.tangents_in_torch(x, dx, h, dh)
        )
        torch.manual_seed(1)
        total = sum((part * torch.randn_like(part)).sum() for part in outputs if part is not None)
        assert isinstance(total, Tensor)
        gradients = torch.autograd.grad(total, (x, h, *weights), allow_unused=True)
        found.append((outputs, gradients))
    for ours, theirs in zip(*found, strict=True):
        for mine, other in zip(ours, theirs, strict=True):
            if mine is not None and other is not None:
                torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-10)


@needs_compiler
def test_a_samples_bits_do_not_depend_on_its_batch(
    make_velocity: Callable[..., EgnnVelocity], make_points: Callable[..., Tensor]
) -> None:
    velocity, x = make_velocity().float(), make_points(21, 4, 2).float()
    t = torch.linspace(0, 1, 21)
    with torch.no_grad():
        v, trace = velocity.divergence(t, x)
        for row in (0, 15, 16, 20):
            one_v, one_trace = velocity.divergence(t[row : row + 1], x[row : row + 1])
            assert torch.equal(one_v[0], v[row])
            assert torch.equal(one_trace[0], trace[row])


@needs_compiler
def test_activations_hold_far_from_zero() -> None:
    """Messages of very large and very small arguments are those of torch, and finite."""
    torch.manual_seed(0)
    stack = EgnnStack(1, 8)
    x = torch.tensor([[[0.0, 0.0], [1e-4, 0.0], [300.0, 0.0], [-1000.0, 2.0]]])
    h = torch.randn(1, 4, 8) * 50
    with torch.no_grad():
        ours, theirs = stack(x, h), stack.in_torch(x, h)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine is not None
        assert bool(mine.isfinite().all())
        torch.testing.assert_close(mine, other, rtol=2e-5, atol=1e-4)


def test_chunks_of_directions_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from intertwiner_enflow.kernels.examples import mid_tangent

    arguments = mid_tangent(torch.float64, torch.device("cpu"), torch.Generator().manual_seed(0))[0]
    whole = tangents.mid_tangent(*arguments)
    monkeypatch.setattr(tangents, "CHUNK_ELEMENTS", 1)
    torch.testing.assert_close(tangents.mid_tangent(*arguments), whole, rtol=1e-13, atol=1e-13)


def test_the_compiled_program_can_be_left_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compiled_is_allowed()
    with torch_form():
        assert not compiled_is_allowed()
    monkeypatch.setenv("INTERTWINER_KERNELS", "reference")
    assert not compiled_is_allowed()


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty cache, nothing loaded yet, and compiling that takes little time."""
    plain = tuple(flag for flag in objects.FLAGS if flag != "-O3")
    monkeypatch.setattr(objects, "FLAGS", plain)
    monkeypatch.setenv("INTERTWINER_DATA", str(tmp_path))
    forget()
    yield
    forget()


@pytest.mark.fault("F43")
def test_without_a_compiler_one_warning_and_torch_serves(
    fresh: None, monkeypatch: pytest.MonkeyPatch, make_points: Callable[..., Tensor]
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    stack, x = EgnnStack(1, 8).double(), make_points(2, 3, 2)
    h = torch.randn(2, 3, 8, dtype=torch.float64)
    with pytest.warns(KernelFallback, match="cannot be compiled, torch serves"):
        first = stack(x, h)[0]
    assert torch.equal(stack(x, h)[0], first)
    assert torch.equal(first, stack.in_torch(x, h)[0])


@needs_compiler
@pytest.mark.fault("F43")
def test_a_truncated_object_in_the_cache_is_compiled_again(fresh: None) -> None:
    kind = Kind(torch.float64, 2, 8, True, True, True)
    built = library.load(kind)
    assert built is not None
    path = Path(built._name)
    whole = path.read_bytes()
    path.unlink()  # the object that is loaded stays whole
    path.write_bytes(whole[:1000])
    forget()
    assert library.load(kind) is not None
    assert len(path.read_bytes()) == len(whole)


def test_importing_the_declaration_does_not_import_torch() -> None:
    code = "import sys, intertwiner_enflow._plugin as p; list(p.intertwiner_models()); " + (
        "list(p.intertwiner_kernels()); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
