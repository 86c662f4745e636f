"""Coefficients of explicit Runge-Kutta methods, and one step of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["DOPRI5", "HEUN", "METHODS", "RK4", "Field", "Tableau", "runge_kutta_step"]

Field = Callable[
    [Float[Tensor, " active"], Float[Tensor, "active width"], Int[Tensor, " active"]],
    Float[Tensor, "active width"],
]


@dataclass(frozen=True, slots=True)
class Tableau:
    """nodes c, rows a below the diagonal, weights b; error = b - b of the embedded method.

    reuses_last: the last stage is the next step's first (first same as last).
    """

    name: str
    order: int
    nodes: tuple[float, ...]
    rows: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    error: tuple[float, ...] = ()
    reuses_last: bool = False

    @property
    def evaluations(self) -> int:
        """Of the right-hand side a step, where the first stage is at hand or not shared."""
        return len(self.nodes) - (1 if self.reuses_last else 0)


HEUN: Final = Tableau("heun", 2, (0.0, 1.0), ((), (1.0,)), (0.5, 0.5))

RK4: Final = Tableau(
    "rk4",
    4,
    (0.0, 0.5, 0.5, 1.0),
    ((), (0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)),
    (1 / 6, 1 / 3, 1 / 3, 1 / 6),
)

_B5 = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0.0)
_B4 = (5179 / 57600, 0.0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40)

DOPRI5: Final = Tableau(
    "dopri5",
    5,
    (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0),
    (
        (),
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
        _B5[:6],
    ),
    _B5,
    tuple(five - four for five, four in zip(_B5, _B4, strict=True)),
    reuses_last=True,
)

METHODS: Final = {tableau.name: tableau for tableau in (HEUN, RK4, DOPRI5)}


def runge_kutta_step(
    field: Field,
    tableau: Tableau,
    t: Float[Tensor, " active"],
    h: Float[Tensor, " active"],
    y: Float[Tensor, "active width"],
    first: Float[Tensor, "active width"],
    rows: Int[Tensor, " active"],
) -> tuple[Float[Tensor, "active width"], list[Tensor]]:
    """y after a step of h (one per sample), and the slopes of all stages; first: field(t, y)."""
    slopes, size, end = [first], h.unsqueeze(-1), y
    for node, row in zip(tableau.nodes[1:], tableau.rows[1:], strict=True):
        end = y + size * combine(row, slopes)
        slopes.append(field(t + node * h, end, rows))
    if not tableau.reuses_last:
        end = y + size * combine(tableau.weights, slopes)
    return end, slopes


def combine(weights: tuple[float, ...], slopes: list[Tensor]) -> Float[Tensor, "active width"]:
    """sum_i w_i k_i, zero weights left out."""
    total: Tensor | None = None
    for weight, slope in zip(weights, slopes, strict=False):
        if weight:
            total = slope * weight if total is None else torch.add(total, slope, alpha=weight)
    if total is None:
        raise ValueError("a combination of slopes with no weight")
    return total
