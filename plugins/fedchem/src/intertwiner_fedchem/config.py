"""Settings of the models and datasets. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

__all__ = ["MPNNConfig"]

Count = Annotated[int, Ge(1)]


@dataclass(frozen=True, kw_only=True)
class MPNNConfig:
    """The message passing network of the benchmark.

    width: of the states. edge_hidden: of the network that makes the matrices of the bonds.
    steps: of message passing. readout_steps, readout_layers: iterations of Set2Set and layers of
        its LSTM.
    messages: "colours" computes each distinct message and state once, "bonds" one message for each
        bond; the results are equal.
    standardise: outputs start at mean and spread of the training labels; the released code of the
        benchmark has it not.
    """

    width: Count = 64
    edge_hidden: Count = 16
    steps: Count = 3
    readout_steps: Count = 3
    readout_layers: Count = 3
    messages: Literal["colours", "bonds"] = "colours"
    standardise: bool = True
