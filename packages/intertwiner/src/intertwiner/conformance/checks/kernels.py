"""A kernel against its plain-torch reference: value, first and second derivative.

The reference is evaluated in float64 on the same numbers, so that in float32 the kernel is not
blamed for the reference's own rounding. The derivatives are those of a random weighting of all
outputs, the second one along a random direction, with respect to every floating argument.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from intertwiner.conformance.checks.derivatives import Operation, quantities, tensors
from intertwiner.conformance.compare import largest
from intertwiner.conformance.findings import Finding, NotCovered, Refuted
from intertwiner.specs import KernelSpec, load_target

__all__ = ["Deviation", "compare_with_reference", "kernel", "obstacle"]

QUANTITIES: Final = ("value", "first derivative", "second derivative")
TOLERANCES: Final = {"float64": 1e-9, "float32": 1e-4, "bfloat16": 5e-2, "float16": 1e-2}
"""Largest error relative to the largest reference value; ten times that for second derivatives."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far a kernel is from its reference in one quantity of one example.

    quantity: "value", "first derivative" or "second derivative"; error and size: the largest
    absolute error and reference value; allowed: the largest error that holds.
    """

    quantity: str
    dtype: str
    example: int
    error: float
    size: float
    allowed: float

    @property
    def holds(self) -> bool:
        return math.isfinite(self.error) and self.error <= self.allowed


def obstacle(spec: KernelSpec) -> str | None:
    """Why the kernel cannot run on this machine; None when it can."""
    missing = [name for name in spec.requires if importlib.util.find_spec(name) is None]
    if missing:
        return f"needs {' '.join(missing)}; run: pip install {' '.join(missing)}"
    if spec.device == "cuda" and not torch.cuda.is_available():
        return "runs on a CUDA device, and none is here"
    return None


def compare_with_reference(
    spec: KernelSpec, function: Operation | None = None, seed: int = 0
) -> list[Deviation]:
    """The deviations of every example, dtype and derivative order the kernel declares.

    function: what to compare in place of the kernel's own target.
    Raises whatever the kernel raises, and `Refuted` when it has no example to be compared on.
    """
    function = function or load_target(spec.target)
    deviations = []
    for dtype in spec.dtypes:
        for number, arguments in enumerate(_examples(spec, dtype, seed)):
            deviations += _compare(spec, function, dtype, number, arguments)
    return deviations


def _examples(spec: KernelSpec, dtype: str, seed: int) -> list[tuple[Any, ...]]:
    device = torch.device("cuda" if spec.device == "cuda" else "cpu")
    generator = torch.Generator(device).manual_seed(seed)
    examples = list(load_target(spec.examples)(getattr(torch, dtype), device, generator))
    if not examples:
        raise Refuted(Finding("examples", f"{spec.examples} gave no example for {dtype}"))
    return examples


def _compare(
    spec: KernelSpec, function: Operation, dtype: str, number: int, arguments: tuple[Any, ...]
) -> list[Deviation]:
    wide = tuple(_widened(argument) for argument in arguments)
    expected = quantities(load_target(spec.reference), wide, spec.differentiable)
    seen = quantities(function, arguments, spec.differentiable)
    deviations = []
    for order, quantity in enumerate(QUANTITIES[: spec.differentiable + 1]):
        error, size = _difference(spec, quantity, seen[order], expected[order])
        allowed = TOLERANCES[dtype] * (10 if order == 2 else 1) * size
        deviations.append(Deviation(quantity, dtype, number, error, size, allowed))
    return deviations


def _difference(
    spec: KernelSpec, quantity: str, seen: Sequence[Tensor], expected: Sequence[Tensor]
) -> tuple[float, float]:
    shapes = [[tuple(value.shape) for value in values] for values in (seen, expected)]
    if shapes[0] != shapes[1]:
        what = f"shapes {shapes[0]}, the reference gives {shapes[1]}"
        raise Refuted(Finding(quantity, what, hint=spec.target))
    pairs = list(zip(seen, expected, strict=True))
    error = max(largest(ours.double() - theirs) for ours, theirs in pairs)
    return error, max(largest(theirs) for _, theirs in pairs)


def _widened(argument: Any) -> Any:
    if isinstance(argument, Tensor) and argument.is_floating_point():
        return argument.detach().double()
    return argument


def kernel(spec: KernelSpec) -> list[Finding]:
    """The kernel agrees with its reference, and a kernel made wrong on purpose does not.

    Raises `NotCovered` when it cannot run here.
    """
    reason = obstacle(spec)
    if reason is not None:
        raise NotCovered(f"kernel {spec.name} {reason}")
    deviations = compare_with_reference(spec)
    findings = [_finding(spec, deviation) for deviation in deviations if not deviation.holds]
    if findings:
        return findings[:3]
    function = load_target(spec.target)
    for order, quantity in enumerate(QUANTITIES[: spec.differentiable + 1]):
        if all(found.holds for found in compare_with_reference(spec, _spoiled(function, order))):
            what = f"a kernel with a wrong {quantity} passes too: its examples show nothing"
            return [Finding(quantity, what, hint=spec.examples)]
    return []


def _finding(spec: KernelSpec, deviation: Deviation) -> Finding:
    what = f"{spec.target} is not {spec.reference} for example {deviation.example}"
    return Finding(
        deviation.quantity,
        f"{what} in {deviation.dtype}",
        deviation.error,
        deviation.size,
        deviation.allowed,
        spec.target,
    )


def _spoiled(function: Operation, order: int) -> Operation:
    """`function` plus sum (x - x0)^order, with x0 the constant x: wrong in that order alone."""

    def spoiled(*arguments: Any) -> Any:
        extra: Any = 0
        for value in arguments:
            if isinstance(value, Tensor) and value.is_floating_point():
                extra = extra + ((value - value.detach()) ** order).sum()
        return tuple(output + extra for output in tensors(function(*arguments)))

    return spoiled
