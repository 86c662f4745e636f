"""The recipe `interaction-recovery`: is the learned interaction the true one? No torch here.

On generated pockets the pair energy is known. The smooth cross graph must recover it, linear in the
features (a sum over pairs, which is what the energy is) or through a network; the same filters and
network on the 12 and on the 48 nearest atoms show what a thin graph costs.
"""

from __future__ import annotations

from typing import Any, Final

from intertwiner.specs import Arm, RecipeSpec, Scale

__all__ = ["RECOVERY"]

_TRAINING: Final[dict[str, Any]] = {
    "training.batch_size": 32,
    "training.learning_rate": 3e-2,
    "training.weight_decay": 1e-2,
    "training.warmup_steps": 150,
    "training.average_decay": 0.98,
    "training.gradient_clip": 5.0,
    "training.threads": 1,
    "data.targets": ("pK",),
}
_NEAREST: Final[dict[str, Any]] = {"model.graph": "knn", "model.reach": 12.0}
_LINEAR: Final[dict[str, Any]] = {
    "model.hidden": (),
    "model.dropout": (),
    "model.skip": False,
}

RECOVERY: Final = RecipeSpec(
    name="interaction-recovery",
    summary="The learned pair interaction over the true one, on pockets whose energy is known",
    reference="arXiv:1703.10603",
    model="atomic-conv/cross",
    dataset="atomic-conv/synthetic-pockets",
    arms=(
        Arm(name="cross-linear", overrides=_LINEAR),
        Arm(name="cross"),
        Arm(name="nearest-12", overrides={**_NEAREST, "model.neighbors": 12}),
        Arm(name="nearest-48", overrides={**_NEAREST, "model.neighbors": 48}),
    ),
    scales={
        "small": Scale(
            overrides={**_TRAINING, "data.count": 572, "training.epochs": 40}, seeds=(0,)
        ),
        "paper": Scale(
            overrides={**_TRAINING, "data.count": 1715, "training.epochs": 30}, seeds=(0, 1)
        ),
    },
    report="intertwiner_atomic_conv.recovery_report:report",
)
