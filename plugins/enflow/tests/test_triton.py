"""The Triton kernels against the definitions: interpreted on the CPU, in a process of their own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from intertwiner_enflow.errors import StateError
from intertwiner_enflow.kernels import examples

WORKER = Path(__file__).with_name("triton_worker.py")
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="needs Triton: pip install triton"
)


@needs_triton
def test_interpreted_kernels_and_two_derivatives_are_those_of_the_definitions() -> None:
    environment = {**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", str(WORKER)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    lines = run.stdout.splitlines()
    assert len(lines) == 12
    for line in lines:
        allowed = 1e-12 if "float64" in line else 2e-5
        assert float(line.split()[-1]) < allowed, line


@needs_triton
def test_tensors_on_the_cpu_are_refused_without_the_interpreter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from intertwiner_enflow.kernels.triton import operation

    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    generator = torch.Generator().manual_seed(0)
    cpu = torch.device("cpu")
    with pytest.raises(StateError, match="run on a CUDA device, not on cpu"):
        operation.edge_block(*examples.edge_block(torch.float32, cpu, generator)[0])
    with pytest.raises(StateError, match="run on a CUDA device, not on cpu"):
        operation.mid_tangent(*examples.mid_tangent(torch.float32, cpu, generator)[0])


@needs_triton
@pytest.mark.parametrize("name", ["edge_block", "mid_tangent"])
def test_kernels_compile_for_a_gpu_that_is_not_here_and_use_no_atomics(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from intertwiner_enflow.kernels.triton import source
    from intertwiner_enflow.kernels.triton.operation import OPTIONS, TILE

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    function = getattr(source, name)
    values = {"DIM": 3, "TILE": TILE, "WIDTH": 32}
    values |= dict.fromkeys(("ATTENTION", "INITIAL", "BOUNDED"), True)
    kinds = dict.fromkeys(("n", "features", "directions", "batch"), "i32")
    kinds |= dict.fromkeys(("softening", "bound"), "fp32")
    kinds |= dict.fromkeys(values, "constexpr")
    compiled = ASTSource(
        fn=function,
        signature={argument: kinds.get(argument, "*fp32") for argument in function.arg_names},
        constexprs={(n,): values[a] for n, a in enumerate(function.arg_names) if a in values},
    )
    text = triton.compile(compiled, target=GPUTarget("cuda", 90, 32), options=OPTIONS).asm["ptx"]
    assert "st.global" in text
    assert "atom." not in text
    assert "tf32" not in text
