"""What can go wrong in a flow, one line each: which sample, what was seen, what to do."""

from __future__ import annotations

from intertwiner.errors import IntertwinerError

__all__ = ["ShapeError", "SolverError", "StateError"]


class StateError(IntertwinerError, ValueError):
    """A configuration, mask or feature that a flow cannot take."""


class ShapeError(StateError):
    """A tensor has another shape than the flow or the target was made for."""


class SolverError(IntertwinerError, ArithmeticError):
    """An integration did not reach its end: step underflow, too many steps, or values not finite.

    sample: index in the batch. time: where it stood. step: the step it could not take.
    """

    def __init__(self, reason: str, *, sample: int, time: float, step: float, tolerance: float):
        self.sample, self.time, self.step, self.tolerance = sample, time, step, tolerance
        super().__init__(
            f"sample {sample} at flow time {time:.6g}: {reason} (step {step:.3g}, tolerance "
            f"{tolerance:.3g}); loosen the tolerance, raise max_steps, or pass on_fail='mark'"
        )
