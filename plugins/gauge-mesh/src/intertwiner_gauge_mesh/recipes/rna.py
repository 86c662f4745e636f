"""The recipe `rna-segmentation`: the functional label of every vertex of an RNA surface.

The surfaces are your own copy: put it in the data folder, see `intertwiner data path
gauge-mesh/rna-surface`. All arms have 39,100 to 42,600 parameters, a third of them in the 260
classes of the read-out, and the same steps; all but `moments-local` are told the place of a vertex
in the axes of its surface, which no network could find in neighbourhoods of a few angstrom. No
torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from intertwiner.specs import Arm, RecipeSpec, Scale

__all__ = ["RNA"]

_TRAINING: Final[Mapping[str, Any]] = {
    "training.batch_size": 1,
    "training.learning_rate": 8e-3,
    "training.warmup_steps": 30,
    "training.gradient_clip": 1.0,
    "training.validate_every": 3,
    "training.threads": 1,
}
_HEAD: Final = {"model.head": (64,), "model.nonlinearity": "gate"}
_MOMENTS: Final = {
    **_HEAD,
    "model.hidden": "48x0+8x1+4x2",
    "model.message": "24x0+6x1+3x2",
    "model.products": 1,
}
_PLACE: Final = {"model.place": True}

RNA: Final = RecipeSpec(
    name="rna-segmentation",
    summary="Segmentation of RNA surfaces, beside a control that learns nothing",
    reference="arXiv:1906.11555",
    model="gauge-mesh/gem-moments",
    dataset="gauge-mesh/rna-surface",
    arms=(
        Arm(name="moments", overrides={**_MOMENTS, "model.inputs": ("place",)}),
        Arm(
            name="convolutions",
            model="gauge-mesh/gem",
            overrides={
                **_HEAD,
                "model.hidden": "24x0+8x1+4x2",
                "model.blocks": 4,
                "model.inputs": ("matrix", "place"),
            },
        ),
        Arm(name="gcn", model="gauge-mesh/gcn", overrides={**_PLACE, "model.channels": 58}),
        Arm(
            name="point-messages",
            model="gauge-mesh/point-messages",
            overrides={**_PLACE, "model.channels": 34, "model.layers": 3},
        ),
        Arm(
            name="diffusion",
            model="gauge-mesh/diffusion",
            overrides={**_PLACE, "model.channels": 34, "model.blocks": 4},
        ),
        Arm(name="moments-local", overrides=_MOMENTS),
    ),
    scales={
        "small": Scale(
            overrides={**_TRAINING, "training.epochs": 3, "training.average_decay": 0.9},
            seeds=(0,),
        ),
        "paper": Scale(
            overrides={**_TRAINING, "training.epochs": 40, "training.average_decay": 0.995},
            seeds=(0, 1, 2),
        ),
    },
    report="intertwiner_gauge_mesh.recipes.rna_report:report",
)
