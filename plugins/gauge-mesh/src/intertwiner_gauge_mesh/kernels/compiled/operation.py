"""The operation in C++ with its derivatives; plain torch where no compiler is found."""

from __future__ import annotations

import torch
from torch import Tensor

from intertwiner.compiled import Library, call
from intertwiner_gauge_mesh.kernels import bmm
from intertwiner_gauge_mesh.kernels.algebra import bias_rows
from intertwiner_gauge_mesh.kernels.bmm import circle_sums
from intertwiner_gauge_mesh.kernels.compiled.library import lanes, try_load
from intertwiner_gauge_mesh.kernels.compiled.padding import (
    cut_columns,
    cut_self,
    pad_columns,
    pad_self,
    padded_counts,
)
from intertwiner_gauge_mesh.kernels.trilinear import (
    Gradients,
    Passes,
    Problem,
    Wanted,
    operation,
)

__all__ = ["CompiledPasses", "gauge_aggregate"]

NAMES = {torch.float32: "float", torch.float64: "double"}


class CompiledPasses:
    """See `kernels.trilinear.Passes`."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def forward(
        self,
        problem: Problem,
        x: Tensor,
        weight: Tensor,
        self_weight: Tensor | None,
        bias: Tensor | None,
    ) -> Tensor:
        layout = _Layout(problem, x.dtype)
        out = x.new_empty(len(x), layout.width_out)
        call(
            self.library,
            f"forward_{NAMES[x.dtype]}",
            *layout.graph_arguments,
            circle_sums(problem),
            layout.pad_in(x),
            layout.pad_weight(weight),
            layout.pad_self(self_weight),
            None if bias is None else layout.pad_out(bias),
            out,
        )
        return layout.cut_out(out)

    def backward(
        self,
        problem: Problem,
        g: Tensor,
        x: Tensor,
        weight: Tensor,
        self_weight: Tensor | None,
        wanted: Wanted,
    ) -> Gradients:
        layout = _Layout(problem, x.dtype)
        rows, own = layout.pad_in(x), layout.pad_self(self_weight)
        mixed = layout.pad_weight(weight)
        dx = torch.zeros_like(rows) if wanted.x else None
        dweight = torch.zeros_like(mixed) if wanted.weight else None
        down = torch.zeros_like(own) if own is not None and wanted.self_weight else None
        if wanted.x or wanted.weight or down is not None:
            call(
                self.library,
                f"backward_{NAMES[x.dtype]}",
                *layout.graph_arguments,
                layout.pad_out(g),
                rows,
                mixed,
                own,
                dx,
                dweight,
                down,
            )
        return Gradients(
            None if dx is None else cut_columns(dx, problem.type_in, layout.pack),
            None if dweight is None else layout.cut_weight(dweight),
            None if down is None else layout.cut_self(down),
            bias_rows(circle_sums(problem).T @ g, problem.type_out) if wanted.bias else None,
        )


def _passes_for(x: Tensor) -> Passes:
    """Plain torch serves where nothing can be compiled."""
    library = try_load()
    return bmm.PASSES if library is None else CompiledPasses(library)


gauge_aggregate = operation(_passes_for)


class _Layout:
    """Arguments in the form that the kernel takes."""

    def __init__(self, problem: Problem, dtype: torch.dtype) -> None:
        self.type_in, self.type_out = problem.type_in, problem.type_out
        self.pack = lanes() if dtype == torch.float32 else lanes() // 2
        counts_in = padded_counts(self.type_in, self.pack)
        counts_out = padded_counts(self.type_out, self.pack)
        self.width_out = 2 * sum(counts_out) - counts_out[0]
        graph = problem.graph
        dims = (len(counts_in), len(counts_out), graph.ring_count, *counts_in, *counts_out)
        self.graph_arguments = (
            torch.tensor(dims),
            graph.vertices,
            graph.indptr,
            graph.source,
            graph.post.contiguous(),
            graph.pre.contiguous(),
            graph.rings.contiguous(),
            graph.self_weight,
        )

    def pad_in(self, x: Tensor) -> Tensor:
        return pad_columns(x, self.type_in, self.pack)

    def pad_out(self, x: Tensor) -> Tensor:
        return pad_columns(x, self.type_out, self.pack)

    def cut_out(self, x: Tensor) -> Tensor:
        return cut_columns(x, self.type_out, self.pack)

    def pad_weight(self, weight: Tensor) -> Tensor:
        rows = pad_columns(weight.transpose(1, 2), self.type_in, self.pack).transpose(1, 2)
        return pad_columns(rows, self.type_out, self.pack)

    def cut_weight(self, weight: Tensor) -> Tensor:
        columns = cut_columns(weight, self.type_out, self.pack)
        return cut_columns(columns.transpose(1, 2), self.type_in, self.pack).transpose(1, 2)

    def pad_self(self, numbers: Tensor | None) -> Tensor | None:
        if numbers is None:
            return None
        return pad_self(numbers, self.type_in, self.type_out, self.pack)

    def cut_self(self, numbers: Tensor) -> Tensor:
        return cut_self(numbers, self.type_in, self.type_out, self.pack)
