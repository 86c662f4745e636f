"""The Triton kernels: against the oracle, interpreted on the CPU, and on a GPU where there is one.

The interpreter must be chosen before Triton is imported, so interpreted cases run in one process
of their own, see `triton_worker`.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from intertwiner_equivariant_conv.errors import InvalidInput
from intertwiner_equivariant_conv.kernels import reference, sort_edges
from intertwiner_equivariant_conv.layers.paths import path_table
from intertwiner_equivariant_conv.layers.spherical_harmonics import spherical_harmonics

WORKER = Path(__file__).with_name("triton_worker.py")
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="needs Triton: pip install triton"
)
needs_gpu = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None or not torch.cuda.is_available(),
    reason="needs Triton and a CUDA device",
)
Case = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, int]
DOUBLE, SINGLE = torch.float64, torch.float32

CASES: dict[str, dict[str, Any]] = {
    "order 0": {"lmax": 0, "channels": 16, "nodes": 4, "edges": 6},
    "order 0, 33 channels": {"lmax": 0, "channels": 33, "nodes": 3, "edges": 4},
    "order 1": {"lmax": 1, "channels": 16, "nodes": 4, "edges": 6},
    "order 1, 32 channels": {"lmax": 1, "channels": 32, "nodes": 3, "edges": 5},
    "order 1, 17 channels": {"lmax": 1, "channels": 17, "nodes": 3, "edges": 5},
    "order 1, two blocks of channels": {"lmax": 1, "channels": 131, "nodes": 2, "edges": 4},
    "order 1, one channel": {"lmax": 1, "channels": 1, "nodes": 3, "edges": 5},
    "order 1 without parity": {"lmax": 1, "channels": 5, "nodes": 3, "edges": 4, "parity": False},
    "order 2": {"lmax": 2, "channels": 16, "nodes": 3, "edges": 3},
    "order 2, 67 channels": {"lmax": 2, "channels": 67, "nodes": 2, "edges": 2},
    "features of order 0": {"lmax": 1, "lmax_in": 0, "channels": 8, "nodes": 3, "edges": 5},
    "rows without edges": {"lmax": 1, "channels": 4, "nodes": 8, "edges": 3},
    "repeated edges": {"lmax": 1, "channels": 4, "nodes": 1, "edges": 6},
    "no edges": {"lmax": 1, "channels": 4, "nodes": 3, "edges": 0},
    "no nodes": {"lmax": 1, "channels": 4, "nodes": 0, "edges": 0},
    "one node": {"lmax": 1, "channels": 4, "nodes": 1, "edges": 0},
}
SINGLE_TOO = ("order 0", "order 1", "order 1, 17 channels", "order 2")
ASKED = [(name, DOUBLE) for name in CASES] + [(name, SINGLE) for name in SINGLE_TOO]
REPEATED = 4


def make_case(
    lmax: int,
    channels: int,
    nodes: int,
    edges: int,
    dtype: torch.dtype,
    parity: bool = True,
    lmax_in: int | None = None,
) -> Case:
    lmax_in = lmax if lmax_in is None else lmax_in
    generator = torch.Generator().manual_seed(5)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=dtype)

    ends = torch.zeros(2, 0).long()
    if edges:
        ends = torch.randint(0, nodes, (2, edges), generator=generator)
    source, target, _ = sort_edges(*ends)
    harmonics = spherical_harmonics(torch.nn.functional.normalize(normal(edges, 3)), lmax)
    weights = normal(edges, len(path_table(lmax_in, lmax, parity)) * channels)
    return normal(nodes, (lmax_in + 1) ** 2, channels), harmonics, weights, source, target, nodes


def worker() -> Any:
    spec = importlib.util.spec_from_file_location("triton_worker", WORKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[Any, Any]]:
    """All cases through the interpreter, the last ones twice."""
    folder = tmp_path_factory.mktemp("triton")
    cases = [make_case(**CASES[name], dtype=dtype) for name, dtype in ASKED]
    torch.save(cases + cases[-REPEATED:], folder / "in.pt")
    environment = os.environ | {"TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", *SCRIPT_WARNING, str(WORKER)]
    done = subprocess.run(
        [*command, str(folder / "in.pt"), str(folder / "out.pt")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    results = torch.load(folder / "out.pt")
    again = dict(zip(ASKED[-REPEATED:], results[-REPEATED:], strict=True))
    return {"first": dict(zip(ASKED, results[:-REPEATED], strict=True)), "again": again}


SCRIPT_WARNING = ("-W", "ignore:`torch.jit.script` is deprecated:DeprecationWarning")
"""torch_geometric's, see the settings of pytest."""


def assert_close(found: dict[str, Tensor], case: Case, tolerance: float) -> None:
    """Largest error below `tolerance` times the largest value, quantity by quantity."""
    exact = tuple(t.double() if t.is_floating_point() else t for t in case[:5])
    expected = worker().derivatives(reference.tensor_product_scatter, (*exact, case[5]))
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].shape == tensor.shape, name
        if tensor.numel():
            error = float((found[name].double().cpu() - tensor).abs().max())
            assert error <= tolerance * max(float(tensor.abs().max()), 1e-30), (name, error)


@needs_triton
@pytest.mark.parametrize(("name", "dtype"), ASKED, ids=lambda value: str(value))
def test_interpreted_kernels_equal_the_oracle_in_value_and_two_derivatives(
    interpreted: dict[str, dict[Any, Any]], name: str, dtype: torch.dtype
) -> None:
    found = interpreted["first"][name, dtype]
    assert not isinstance(found, str), found
    case = make_case(**CASES[name], dtype=dtype)
    assert_close(found, case, 1e-12 if dtype == DOUBLE else 2e-6)


@needs_triton
def test_every_interpreted_run_gives_the_same_bits(interpreted: dict[str, dict[Any, Any]]) -> None:
    assert len(interpreted["again"]) == REPEATED
    for asked, again in interpreted["again"].items():
        first = interpreted["first"][asked]
        assert all(torch.equal(first[name], again[name]) for name in again)


@needs_triton
def test_tensors_on_the_cpu_are_refused_without_the_interpreter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from intertwiner_equivariant_conv.kernels.triton.operation import tensor_product_scatter

    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(InvalidInput, match="run on a CUDA device, not on cpu"):
        tensor_product_scatter(*make_case(**CASES["order 0"], dtype=SINGLE))


@needs_gpu
def test_compiled_kernels_equal_the_oracle_on_a_gpu() -> None:
    from intertwiner_equivariant_conv.kernels.triton.operation import tensor_product_scatter

    for name, dtype in ASKED:
        case = make_case(**CASES[name], dtype=dtype)
        there = tuple(t.cuda() if isinstance(t, Tensor) else t for t in case)
        found = worker().derivatives(tensor_product_scatter, there)
        assert_close(found, case, 1e-12 if dtype == DOUBLE else 2e-6)


@needs_triton
@pytest.mark.parametrize("kernel", ["product", "by_target", "by_source"])
def test_kernels_compile_for_a_gpu_that_is_not_here_and_use_no_atomics(
    kernel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from intertwiner_equivariant_conv.kernels.triton.launch import OPTIONS, load

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    function = getattr(load(path_table(1, 1)), kernel)
    kinds = {"channels": "i32", "edges": "i32"}
    kinds |= dict.fromkeys(("source", "target", "order", "rows"), "*i64")
    kinds |= dict.fromkeys(("BLOCK", "DY", "DW"), "constexpr")
    values = {"BLOCK": 32, "DY": True, "DW": True}
    source = ASTSource(
        fn=function,
        signature={name: kinds.get(name, "*fp32") for name in function.arg_names},
        constexprs={(n,): values[a] for n, a in enumerate(function.arg_names) if a in values},
    )
    text = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=OPTIONS).asm["ptx"]
    assert "st.global" in text
    assert "atom." not in text
    assert "red.global" not in text


def test_blocks_are_powers_of_two_that_fit_the_registers() -> None:
    from intertwiner_equivariant_conv.kernels.triton.launch import block_size

    for rows in (1, 8, 35, 70, 99):
        for channels in (1, 16, 17, 64, 1000):
            block = block_size(rows, channels, SINGLE)
            assert block & (block - 1) == 0
            assert 16 <= block <= 128
            assert block_size(rows, channels, DOUBLE) <= block
    assert [block_size(rows, 128, SINGLE) for rows in (8, 35, 99)] == [128, 64, 32]


def test_edges_by_source_keep_their_order_and_follow_changes() -> None:
    from intertwiner_equivariant_conv.kernels.triton.graph import by_source, row_starts

    source = torch.tensor([2, 0, 2, 1, 0])
    starts, order = by_source(source, 4)
    assert starts.tolist() == [0, 2, 3, 5, 5]
    assert order.tolist() == [1, 4, 3, 0, 2]
    assert by_source(source, 4)[1] is order
    source[0] = 3
    assert by_source(source, 4)[0].tolist() == [0, 2, 3, 4, 5]
    assert row_starts(torch.tensor([], dtype=torch.long), 2).tolist() == [0, 0, 0]
