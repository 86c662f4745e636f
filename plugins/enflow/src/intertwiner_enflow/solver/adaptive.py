"""Dormand-Prince 5(4) with a time, a step and a verdict for every sample by itself.

Neither the batch nor its order changes a sample's result; samples that arrive leave the batch.
A step is accepted when the root mean square over a sample's entries of
err / (atol + rtol max(|y0|, |y1|)) is at most 1; the next step is 0.9 ratio^(-1/5) times as long,
within [0.2, 10]. A field may say what |.| of an entry is, its `magnitudes`: with the length of a
particle's position in place of each coordinate, turning a sample does not change its steps; and
how many entries count, its `counts`: padding then does not either.
Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, II.4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intertwiner_enflow.errors import SolverError
from intertwiner_enflow.solver.tableau import DOPRI5, Field, combine, runge_kutta_step

__all__ = ["Control", "Solution", "integrate_adaptive"]

SAFETY, SHRINK, GROW = 0.9, 0.2, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Tolerances and limits of the adaptive integration.

    shared: one step size for the whole batch, as other libraries do; for comparison.
    on_fail: "raise" a `SolverError`, or "mark" the sample and return what it had reached.
    """

    rtol: float = 1e-5
    atol: float = 1e-5
    max_steps: int = 1000
    min_step: float = 1e-6
    shared: bool = False
    on_fail: Literal["raise", "mark"] = "raise"


@dataclass(slots=True)
class Solution:
    """The end of an integration and what it took.

    nfe, rejected: evaluations and rejected steps of every sample; failed: those that did not
    arrive. times: the accepted grid of every sample, its last time repeated, when it was kept.
    """

    y: Float[Tensor, "batch width"]
    nfe: Int[Tensor, " batch"]
    rejected: Int[Tensor, " batch"]
    failed: Bool[Tensor, " batch"]
    times: Float[Tensor, "steps batch"] | None = None


def integrate_adaptive(
    field: Field,
    y: Float[Tensor, "batch width"],
    start: float,
    end: float,
    control: Control | None = None,
    *,
    keep_times: bool = False,
) -> Solution:
    """y at `end` from y at `start`; `end` may be the earlier time.

    Raises `SolverError` naming sample, time and step where a step would fall below `min_step`,
    or `max_steps` steps do not suffice.
    """
    return _Integration(field, y, start, end, control or Control(), keep_times).run()


class _Integration:
    """Samples under way, compacted: row r of every tensor is sample `rows[r]` of the batch."""

    def __init__(
        self, field: Field, y: Tensor, start: float, end: float, control: Control, keep: bool
    ) -> None:
        batch, count = len(y), {"dtype": torch.int64, "device": y.device}
        self.field, self.control = field, control
        self.magnitudes: Callable[[Tensor], Tensor] = getattr(field, "magnitudes", torch.abs)
        self.counts: Callable[[Tensor], Tensor] | None = getattr(field, "counts", None)
        self.end, self.sign = end, 1.0 if end >= start else -1.0
        self.rows = torch.arange(batch, device=y.device)
        self.t = torch.full((batch,), start, dtype=y.dtype, device=y.device)
        self.y = y
        self.found = Solution(
            y.clone(),
            torch.zeros(batch, **count),  # type: ignore[call-overload]
            torch.zeros(batch, **count),  # type: ignore[call-overload]
            torch.zeros(batch, dtype=torch.bool, device=y.device),
        )
        self.kept = [self.t.clone()] if keep else None
        self.latest = self.t.clone()

    def run(self) -> Solution:
        if len(self.rows) == 0 or self.end == float(self.t[0]):
            return self.found
        self.slope = self._evaluate(self.t, self.y)
        self.h = self._first_step()
        for taken in range(self.control.max_steps):
            self._step()
            if len(self.rows) == 0:
                break
            self._fail(self.stuck, "the step fell below its minimum")
            if taken == self.control.max_steps - 1:
                everyone = torch.ones_like(self.rows, dtype=torch.bool)
                self._fail(everyone, f"not there after {self.control.max_steps} steps")
        if self.kept is not None:
            self.found.times = torch.stack(self.kept)
        return self.found

    def _evaluate(self, t: Tensor, y: Tensor) -> Tensor:
        self.found.nfe[self.rows] += 1
        return self.field(t, y, self.rows)

    def _scale(self, *states: Tensor) -> Tensor:
        size = torch.stack([self.magnitudes(state) for state in states]).amax(dim=0)
        return self.control.atol + self.control.rtol * size

    def _size(self, values: Tensor, scale: Tensor) -> Float[Tensor, " active"]:
        """Root mean square of the values in units of the scale."""
        squares = (self.magnitudes(values) / scale).square().sum(dim=-1)
        count = values.shape[-1] if self.counts is None else self.counts(self.rows)
        return (squares / count).sqrt()

    def _first_step(self) -> Float[Tensor, " active"]:
        """Hairer's choice from the sizes of the state, its slope, and the slope's change."""
        scale = self._scale(self.y)
        d0, d1 = self._size(self.y, scale), self._size(self.slope, scale)
        tiny = (d0 < 1e-5) | (d1 < 1e-5)
        h0 = torch.where(tiny, torch.full_like(d0, 1e-6), 0.01 * d0 / d1.clamp(min=1e-30))
        h0 = h0.clamp(max=abs(self.end - float(self.t[0])))
        probe = self.y + (self.sign * h0).unsqueeze(-1) * self.slope
        slope = self._evaluate(self.t + self.sign * h0, probe)
        d2 = self._size(slope - self.slope, scale) / h0
        largest = torch.maximum(d1, d2)
        flat = torch.maximum(torch.full_like(h0, 1e-6), h0 * 1e-3)
        h1 = torch.where(largest <= 1e-15, flat, (0.01 / largest.clamp(min=1e-30)) ** 0.2)
        step = torch.minimum(100 * h0, h1)
        step = torch.where(step.isfinite(), step, torch.full_like(step, 1e-3))
        return step.amin().expand_as(step).clone() if self.control.shared else step

    def _step(self) -> None:
        remaining = (self.end - self.t) * self.sign
        reaches = self.h >= remaining
        h = torch.where(reaches, remaining, self.h)
        signed = self.sign * h
        y, slopes = runge_kutta_step(
            self.field, DOPRI5, self.t, signed, self.y, self.slope, self.rows
        )
        self.found.nfe[self.rows] += DOPRI5.evaluations
        error = combine(DOPRI5.error, slopes) * signed.unsqueeze(-1)
        ratio = self._size(error, self._scale(self.y, y))
        if self.control.shared:
            ratio = ratio.square().mean().sqrt().expand_as(ratio)
        ratio = torch.where(ratio.isfinite(), ratio, torch.full_like(ratio, torch.inf))
        accepted = ratio <= 1
        self.found.rejected[self.rows] += (~accepted).long()
        end = torch.full_like(self.t, self.end)
        moved = torch.where(reaches, end, self.t + signed)
        self.t = torch.where(accepted, moved, self.t)
        self.y = torch.where(accepted.unsqueeze(-1), y, self.y)
        self.slope = torch.where(accepted.unsqueeze(-1), slopes[-1], self.slope)
        self.h = h * (SAFETY * ratio.clamp(min=1e-10) ** -0.2).clamp(SHRINK, GROW)
        self.stuck = ~accepted & (self.h < self.control.min_step)
        self._keep()
        self._leave(accepted & reaches)

    def _keep(self) -> None:
        if self.kept is not None:
            self.latest = self.latest.index_copy(0, self.rows, self.t)
            if bool((self.latest != self.kept[-1]).any()):
                self.kept.append(self.latest)

    def _leave(self, arrived: Bool[Tensor, " active"]) -> None:
        if not bool(arrived.any()):
            return
        self.found.y[self.rows[arrived]] = self.y[arrived]
        stay = ~arrived
        self.rows, self.t, self.h = self.rows[stay], self.t[stay], self.h[stay]
        self.y, self.slope, self.stuck = self.y[stay], self.slope[stay], self.stuck[stay]

    def _fail(self, lost: Bool[Tensor, " active"], reason: str) -> None:
        if not bool(lost.any()):
            return
        if self.control.on_fail == "raise":
            first = int(lost.nonzero()[0])
            raise SolverError(
                reason,
                sample=int(self.rows[first]),
                time=float(self.t[first]),
                step=float(self.h[first]),
                tolerance=self.control.rtol,
            )
        self.found.failed[self.rows[lost]] = True
        self._leave(lost)
