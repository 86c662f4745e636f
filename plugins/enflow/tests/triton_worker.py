"""Largest deviations of the interpreted Triton kernels, run in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from intertwiner_enflow.kernels import examples
from intertwiner_enflow.kernels.mid_tangent import mid_tangent_reference
from intertwiner_enflow.kernels.triton import operation

CPU = torch.device("cpu")


def derivatives(run: Callable[..., Any], arguments: tuple[Any, ...]) -> list[Tensor]:
    """Values, and first and second derivatives along fixed directions."""
    leaves = [
        part.detach().clone().requires_grad_()
        if isinstance(part, Tensor) and part.is_floating_point()
        else part
        for part in arguments
    ]
    wanted = [part for part in leaves if isinstance(part, Tensor) and part.requires_grad]
    found = run(*leaves)
    out = [found] if isinstance(found, Tensor) else list(found)
    torch.manual_seed(0)
    total = sum((part * torch.randn(part.shape, dtype=part.dtype)).sum() for part in out)
    first = torch.autograd.grad(total, wanted, create_graph=True, allow_unused=True)
    known = [part for part in first if part is not None]
    second = torch.autograd.grad(
        sum(part.square().sum() for part in known), wanted, allow_unused=True
    )
    return [*out, *known, *(part for part in second if part is not None)]


def deviation(
    run: Callable[..., Any], reference: Callable[..., Any], arguments: tuple[Any, ...]
) -> float:
    found, exact = derivatives(run, arguments), derivatives(reference, arguments)
    return max(
        float((one - other).detach().abs().max() / other.detach().abs().max().clamp(min=1e-30))
        for one, other in zip(found, exact, strict=True)
    )


def main() -> None:
    """Widths that are padded, more partners and directions than a tile, no attention, no bound."""
    for dtype in (torch.float64, torch.float32):
        draw = examples._Draw(dtype, CPU, torch.Generator().manual_seed(3))
        for sizes in ((2, 4, 2, 8, True), (1, 18, 3, 20, True), (2, 3, 3, 8, False)):
            arguments = list(examples._edge_block(draw, *sizes))
            worst = deviation(operation.edge_block, examples.edge_block_reference, tuple(arguments))
            sys.stdout.write(f"edge_block {dtype} {sizes} {worst}\n")
        for sizes in ((5, 2, 4, 8, True), (18, 1, 3, 20, True), (3, 2, 3, 8, False)):
            arguments = examples._mid_tangent(draw, *sizes)
            worst = deviation(operation.mid_tangent, mid_tangent_reference, arguments)
            sys.stdout.write(f"mid_tangent {dtype} {sizes} {worst}\n")


if __name__ == "__main__":
    main()
