"""The recipe `rna-segmentation`: the functional label of every vertex of an RNA surface.

The surfaces are your own copy: put it in the data folder, see `intertwiner data path
gauge-mesh/rna-surface`. All arms have 42,900 to 45,000 parameters, most of them in the 260 classes
of the read-out, and the same steps. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from intertwiner.specs import Arm, RecipeSpec, Scale

__all__ = ["RNA"]

_TRAINING: Final[Mapping[str, Any]] = {
    "training.batch_size": 1,
    "training.learning_rate": 3e-3,
    "training.warmup_steps": 70,
    "training.gradient_clip": 1.0,
    "training.threads": 1,
}
_HEAD: Final = {"model.head": (64,)}

RNA: Final = RecipeSpec(
    name="rna-segmentation",
    summary="Segmentation of RNA surfaces, beside a control that learns nothing",
    reference="arXiv:1906.11555",
    model="gauge-mesh/gem-moments",
    dataset="gauge-mesh/rna-surface",
    arms=(
        Arm(
            name="moments",
            overrides={
                **_HEAD,
                "model.hidden": "16x0+16x1+8x2",
                "model.message": "8x0+8x1+4x2",
                "model.blocks": 3,
                "model.normalize": True,
            },
        ),
        Arm(
            name="convolutions",
            model="gauge-mesh/gem",
            overrides={
                **_HEAD,
                "model.hidden": "14x0+14x1+7x2",
                "model.blocks": 5,
                "model.nonlinearity": "gate",
                "model.normalize": True,
            },
        ),
        Arm(name="gcn", model="gauge-mesh/gcn", overrides={"model.channels": 66}),
        Arm(
            name="point-messages",
            model="gauge-mesh/point-messages",
            overrides={"model.channels": 32, "model.layers": 4},
        ),
        Arm(
            name="diffusion",
            model="gauge-mesh/diffusion",
            overrides={"model.channels": 36, "model.blocks": 4, "model.eigenpairs": 128},
        ),
    ),
    scales={
        "small": Scale(
            overrides={**_TRAINING, "training.epochs": 6, "training.average_decay": 0.98},
            seeds=(0,),
        ),
        "paper": Scale(
            overrides={**_TRAINING, "training.epochs": 40, "training.average_decay": 0.995},
            seeds=(0, 1, 2),
        ),
    },
    report="intertwiner_gauge_mesh.recipes.rna_report:report",
)
