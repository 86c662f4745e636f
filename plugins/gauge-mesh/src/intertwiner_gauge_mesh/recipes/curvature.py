"""The recipe `curvature`: directions of curvature of unseen bumpy spheres from noisy meshes.

Every vertex is moved by 10 % of the mean edge. All arms have 22,800 to 24,000 parameters, the same
shapes and steps. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from intertwiner.specs import Arm, RecipeSpec, Scale

__all__ = ["CURVATURE"]

_TRAINING: Final[Mapping[str, Any]] = {
    "data.targets": ("principal",),
    "data.noise": 0.1,
    "data.training_shapes": 400,
    "data.other_shapes": 16,
    "data.triangulation": "both",
    "training.batch_size": 2,
    "training.learning_rate": 3e-3,
    "training.warmup_steps": 100,
    "training.gradient_clip": 1.0,
    "training.average_decay": 0.995,
    "training.threads": 1,
}
_WIDE: Final = "12x0+12x1+12x2"
_MOMENTS: Final = {"model.hidden": _WIDE, "model.message": "6x0+6x1+6x2", "model.blocks": 4}

CURVATURE: Final = RecipeSpec(
    name="curvature",
    summary="Directions of curvature from noisy meshes: networks beside the fitted quadric",
    reference="arXiv:2003.05425",
    model="gauge-mesh/gem-moments",
    dataset="gauge-mesh/bumpy-curvature",
    arms=(
        Arm(name="moments", overrides=_MOMENTS),
        Arm(
            name="convolutions",
            model="gauge-mesh/gem",
            overrides={"model.hidden": "9x0+9x1+8x2", "model.blocks": 5},
        ),
        Arm(
            name="gcn",
            model="gauge-mesh/gcn",
            overrides={"model.channels": 61},
        ),
        Arm(
            name="point-messages",
            model="gauge-mesh/point-messages",
            overrides={"model.channels": 25, "model.layers": 4},
        ),
        Arm(
            name="diffusion",
            model="gauge-mesh/diffusion",
            overrides={"model.channels": 29, "model.blocks": 4},
        ),
        Arm(name="moments-shuffled", overrides={**_MOMENTS, "data.shuffled": True}),
    ),
    scales={
        "small": Scale(
            overrides={**_TRAINING, "data.copies": 2, "training.epochs": 2}, seeds=(0, 1, 2)
        ),
        "paper": Scale(
            overrides={**_TRAINING, "data.copies": 4, "training.epochs": 8},
            seeds=(0, 1, 2, 3, 4),
        ),
    },
    report="intertwiner_gauge_mesh.recipes.curvature_report:report",
)
