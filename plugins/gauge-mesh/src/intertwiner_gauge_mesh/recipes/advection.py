"""The recipe `advection`: -v.grad u on unseen bumpy spheres, unseen rotations, unseen meshes.

All arms have 8,177 to 8,716 parameters, the same shapes, fields and steps. Every baseline has its
own learning rate, the best of 0.001, 0.003 and 0.008 on the validation shapes after 800 steps:
0.003 for point-messages, 0.008 for the others; the gauge-equivariant arms have 0.008.
No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from intertwiner.specs import Arm, RecipeSpec, Scale

__all__ = ["ADVECTION"]

_TRAINING: Final[Mapping[str, Any]] = {
    "data.targets": ("advection",),
    "data.seed": 1,  # shapes that no setting was chosen on
    "data.training_shapes": 200,
    "data.triangulation": "both",
    "training.batch_size": 2,
    "training.learning_rate": 8e-3,
    "training.warmup_steps": 200,
    "training.gradient_clip": 1.0,
    "training.average_decay": 0.995,
    "training.threads": 1,
}
_POINT: Final = "gauge-mesh/point-messages-field"

ADVECTION: Final = RecipeSpec(
    name="advection",
    summary="Advection on bumpy spheres: gauge-equivariant networks, formulas, other networks",
    reference="arXiv:2003.05425",
    model="gauge-mesh/gem-field-moments",
    dataset="gauge-mesh/bumpy-advection",
    arms=(
        Arm(name="moments"),
        Arm(
            name="convolutions",
            model="gauge-mesh/gem-field",
            overrides={"model.hidden": "9x0+9x1+6x2"},
        ),
        Arm(name="gcn", model="gauge-mesh/gcn-field", overrides={"model.channels": 36}),
        Arm(
            name="point-messages",
            model=_POINT,
            overrides={"model.channels": 21, "training.learning_rate": 3e-3},
        ),
        Arm(
            name="point-messages-strong",
            model=_POINT,
            overrides={"model.channels": 21, "model.strong": True},
        ),
        Arm(
            name="diffusion",
            model="gauge-mesh/diffusion-field",
            overrides={"model.channels": 20},
        ),
        Arm(name="moments-shuffled", overrides={"data.shuffled": True}),
    ),
    scales={
        "small": Scale(
            overrides={**_TRAINING, "data.fields": 4, "training.epochs": 4}, seeds=(0, 1, 2)
        ),
        "paper": Scale(
            overrides={**_TRAINING, "data.fields": 8, "training.epochs": 8},
            seeds=(0, 1, 2, 3, 4),
        ),
    },
    report="intertwiner_gauge_mesh.recipes.advection_report:report",
)
