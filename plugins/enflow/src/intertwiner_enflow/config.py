"""Settings of the flows. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt

__all__ = ["EgnnFlowConfig", "TrainingObjective"]

TrainingObjective = Literal["flow-matching", "likelihood"]


@dataclass(frozen=True, kw_only=True)
class EgnnFlowConfig:
    """The flow of positions.

    layers, features: of the equivariant graph network.
    attention: weigh every message by a learned gate.
    tanh: bound every layer's displacement by 15 / layers a pair.
    condition_time: let the velocity depend on the flow's time.
    """

    layers: Annotated[int, Ge(1)] = 3
    features: Annotated[int, Ge(1)] = 32
    attention: bool = True
    tanh: bool = True
    condition_time: bool = True
    objective: TrainingObjective = "flow-matching"
    tolerance: Annotated[float, Gt(0)] = 1e-5
