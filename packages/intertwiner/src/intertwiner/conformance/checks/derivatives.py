"""The value of an operation and its derivatives, weighted at random so that nothing cancels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["Operation", "quantities", "tensors"]

Operation = Callable[..., Any]


def quantities(
    function: Operation, arguments: tuple[Any, ...], orders: int
) -> list[tuple[Tensor, ...]]:
    """The value and the derivatives up to `orders` (at most 2), each as a tuple of tensors."""
    prepared, leaves = _with_gradients(arguments, orders > 0)
    outputs = tensors(function(*prepared))
    found = [tuple(output.detach() for output in outputs)]
    generator = torch.Generator().manual_seed(11)
    differentiable: Sequence[Tensor] = [value for value in outputs if value.is_floating_point()]
    for order in range(1, min(orders, 2) + 1):
        total = sum(_weighted(value, generator) for value in differentiable)
        differentiable = _gradients(total, leaves, keep_graph=order < orders)
        found.append(tuple(value.detach() for value in differentiable))
    return found


def _with_gradients(arguments: tuple[Any, ...], wanted: bool) -> tuple[list[Any], list[Tensor]]:
    prepared = [
        argument.detach().clone().requires_grad_(wanted)
        if isinstance(argument, Tensor) and argument.is_floating_point()
        else argument
        for argument in arguments
    ]
    return prepared, [a for a in prepared if isinstance(a, Tensor) and a.requires_grad]


def tensors(output: Any) -> tuple[Tensor, ...]:
    return (output,) if isinstance(output, Tensor) else tuple(output)


def _weighted(value: Tensor, generator: torch.Generator) -> Tensor:
    """The sum of the values with random weights, the same for equal generators and shapes."""
    weights = torch.randn(value.shape, generator=generator, dtype=torch.float64)
    return (value * weights.to(value)).sum()


def _gradients(total: Any, leaves: list[Tensor], *, keep_graph: bool) -> list[Tensor]:
    """Gradients with respect to `leaves`; zeros for one that does not take part."""
    if not (isinstance(total, Tensor) and total.requires_grad):
        return [torch.zeros_like(leaf) for leaf in leaves]
    found = torch.autograd.grad(total, leaves, create_graph=keep_graph, allow_unused=True)
    pairs = zip(found, leaves, strict=True)
    return [torch.zeros_like(leaf) if grad is None else grad for grad, leaf in pairs]
