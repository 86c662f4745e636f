"""Kernels equal their references: values, first and second derivatives; and do without compiler."""

from __future__ import annotations

import pytest
import torch

from intertwiner.compiled import CompileError, build, forget
from intertwiner.conformance.checks.kernels import compare_with_reference
from intertwiner.kernels import KernelFallback
from intertwiner_atomic_conv import _plugin
from intertwiner_atomic_conv.errors import InvalidInput
from intertwiner_atomic_conv.kernels import radial_pool, reference
from intertwiner_atomic_conv.kernels.compiled import pool

SPECS = {spec.name: spec for spec in _plugin.intertwiner_kernels()}


@pytest.mark.parametrize("name", [name for name in SPECS if "triton" not in name])
def test_a_kernel_equals_its_reference(name: str) -> None:
    for deviation in compare_with_reference(SPECS[name]):
        assert deviation.holds, deviation


def test_filters_that_have_ended_contribute_exactly_nothing() -> None:
    distance = torch.tensor([3.0, 9.0])
    filters = torch.tensor([2.0]), torch.tensor([0.0]), torch.tensor([0.4])
    pointer = torch.tensor([0, 1, 2])
    assert not pool.radial_pool(distance, pointer, *filters).any()


@pytest.mark.fault("F43")
def test_without_a_compiler_the_reference_serves_after_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    forget()
    arguments = reference.radial_pool_examples(
        torch.float64, torch.device("cpu"), torch.Generator().manual_seed(0)
    )[0]
    with pytest.warns(KernelFallback, match="set CXX to one that runs"):
        found = pool.radial_pool(*arguments)
    forget()
    torch.testing.assert_close(found, reference.radial_pool(*arguments))


def test_a_source_that_does_not_compile_tells_what_the_compiler_said() -> None:
    with pytest.raises(CompileError, match="failed with status"):
        build("atomic-conv-broken", {"broken": "this is no C++"})


def test_a_pointer_that_does_not_span_the_edges_is_refused() -> None:
    filters = [torch.ones(1)] * 3
    with pytest.raises(InvalidInput, match="pointer runs from 0 to 1"):
        radial_pool(torch.ones(2), torch.tensor([0, 1]), *filters)
