"""Runs operations on tensors in a process of its own, where Triton's interpreter may be on.

`python triton_worker.py IN OUT`: IN holds a list of argument tuples, OUT receives for each the
value and derivatives of `derivatives`, or the text of the error. Not a test module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Case = tuple[Any, ...]


def derivatives(function: Callable[..., Tensor], case: Case) -> dict[str, Tensor]:
    """Value, first partials of <g, F>, and second ones along all directions and along one."""
    generator = torch.Generator().manual_seed(3)

    def direction(tensor: Tensor) -> Tensor:
        drawn = torch.randn(tensor.shape, generator=generator, dtype=torch.float32)
        return drawn.to(tensor)

    leaves = [tensor.detach().clone().requires_grad_() for tensor in case[:3]]
    out = function(*leaves, *case[3:])
    leaves.append(direction(out).requires_grad_())
    first = torch.autograd.grad(out, leaves[:3], leaves[3], create_graph=True)
    found = {"value": out, **{f"first, for {n}": part for n, part in enumerate(first)}}
    along = [direction(part) for part in first]
    for chosen in ([0, 1, 2], [1]):
        given = [first[n] for n in chosen], leaves, [along[n] for n in chosen]
        second = torch.autograd.grad(
            *given, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        found |= {f"second along {chosen}, for {n}": part for n, part in enumerate(second)}
    return {name: tensor.detach() for name, tensor in found.items()}


def main(read: str, write: str) -> None:
    from intertwiner_equivariant_conv.kernels.triton.operation import tensor_product_scatter

    results: list[dict[str, Tensor] | str] = []
    for case in torch.load(read):
        try:
            results.append(derivatives(tensor_product_scatter, case))
        except Exception as error:  # reported by the test that asked for this case
            results.append(f"{type(error).__name__}: {error}")
    torch.save(results, write)


if __name__ == "__main__":
    main(*sys.argv[1:])
