"""C++ kernels: compiled at first use for this processor, kept in the cache, called by address.

Nothing is compiled at installation and nothing at import. A plugin keeps its sources as package
data beside its kernels, and needs this and no more (`pool.cpp` has `extern "C" void
twice_float64(const double* x, double factor, int64_t size, double* out)`)::

    from importlib import resources

    import torch
    from torch import Tensor

    from intertwiner.compiled import OPENMP, Library, call, try_load


    def library() -> Library | None:
        return try_load("my-plugin-pool", sources, flags=OPENMP, instead="plain torch")


    def sources() -> dict[str, str]:
        folder = resources.files("my_plugin.kernels.compiled")
        return {"pool": folder.joinpath("pool.cpp").read_text(encoding="utf-8")}


    def twice(x: Tensor) -> Tensor:
        loaded = library()
        if loaded is None:  # said once, in a warning; the result is the same
            return 2 * x
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        call(loaded, "twice_float64", x.contiguous(), 2.0, x.numel(), out)
        return out

`try_load` may be called every time: it builds and loads once in a process, and fails once.
Functions that differ by dtype are best written as one C++ template with one `extern "C"` name per
dtype, and derivatives as functions of their own inside a `torch.autograd.Function`.
`find_compiler` and `vector_bytes` say what the machine has; `build` compiles without loading;
`forget` makes a test start anew (with `INTERTWINER_DATA` set to an empty folder, and with `CXX`
set to a name that does not exist to see what happens without a compiler).

Importing this imports no torch.
"""

from __future__ import annotations

from intertwiner.compiled.compiler import (
    CompileError,
    Compiler,
    NoCompiler,
    find_compiler,
    processor_flags,
    vector_bytes,
)
from intertwiner.compiled.loading import Library, call, forget, load, try_load
from intertwiner.compiled.objects import FLAGS, OPENMP, build

__all__ = [
    "FLAGS",
    "OPENMP",
    "CompileError",
    "Compiler",
    "Library",
    "NoCompiler",
    "build",
    "call",
    "find_compiler",
    "forget",
    "load",
    "processor_flags",
    "try_load",
    "vector_bytes",
]
