"""Settings of a training run. Nothing here imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt

__all__ = ["RunConfig", "TrainingConfig"]


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How a model is trained: AdamW, a learning-rate schedule, clipping and averaged weights.

    batch_size: records in one step, all processes together.
    learning_rate: the largest of the schedule, reached after `warmup_steps`.
    schedule: "cosine" falls to 0 at the last step.
    gradient_clip: largest norm of all gradients; None leaves them.
    average_decay: decay of the exponential moving average of the weights, which is what is
        validated and kept; 0 keeps the weights themselves.
    target_weights: weight of a target's loss, 1 where not given.
    validate_every: epochs between validations; after the last one there always is one.
    select_by: the kept weights are those where this was lowest on the validation part: "loss", a
        target, or a figure that the model gives of itself. Empty for its first figure, and for
        the loss where it has none.
    checkpoint_steps: steps between states for resuming; 0 saves them after each epoch only.
    devices: processes that train together; under torchrun, torchrun's number counts.
    threads: threads of torch on the CPU; 0 leaves torch's choice.
    """

    epochs: Annotated[int, Ge(1)] = 50
    batch_size: Annotated[int, Ge(1)] = 32
    learning_rate: Annotated[float, Gt(0)] = 2e-3
    weight_decay: Annotated[float, Ge(0)] = 0.0
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_steps: Annotated[int, Ge(0)] = 0
    gradient_clip: Annotated[float, Gt(0)] | None = 10.0
    average_decay: Annotated[float, Ge(0), Lt(1)] = 0.999
    target_weights: Mapping[str, float] = field(default_factory=dict)
    validate_every: Annotated[int, Ge(1)] = 1
    select_by: str = ""
    seed: Annotated[int, Ge(0)] = 0
    checkpoint_steps: Annotated[int, Ge(0)] = 0
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    devices: Annotated[int, Ge(1)] = 1
    precision: Literal["32-true", "64-true", "bf16-mixed", "16-mixed"] = "32-true"
    threads: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that defines a run; `config.yaml` in the run folder holds exactly this.

    model, dataset: ids. model_settings, data_settings: instances of the items' own configs.
    """

    model: str
    dataset: str
    model_settings: Any
    data_settings: Any
    training: TrainingConfig
