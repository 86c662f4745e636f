"""The recipe `faust`: correspondence of scans, from the user's own `MPI-FAUST.zip`.

The published network reads coordinates, which is not equivariant to rotations: its accuracy on
turned scans stands beside. No torch here.
"""

from __future__ import annotations

from typing import Any, Final

from intertwiner.specs import Arm, Published, RecipeSpec, Scale

__all__ = ["FAUST"]

_RELEASED: Final[dict[str, Any]] = {
    "model.hidden": "16x0+16x1+16x2",
    "model.blocks": 3,
    "model.block": "released",
    "model.nonlinearity": "relu",
    "model.samples": 7,
    "model.init": "released",
    "model.self_mode": "none",
    "model.head": (256,),
    "model.dropout": 0.5,
}
_TRAINING: Final[dict[str, Any]] = {
    "training.batch_size": 4,
    "training.learning_rate": 1e-2,
    "training.schedule": "constant",
    "training.average_decay": 0.0,
    "data.shuffle": True,
}

FAUST: Final = RecipeSpec(
    name="faust",
    summary="Correspondence of human scans; needs your own MPI-FAUST.zip",
    reference="arXiv:2003.05425",
    model="gauge-mesh/gem",
    dataset="gauge-mesh/faust",
    arms=(
        Arm(name="xyz", overrides={**_RELEASED, "model.inputs": ("xyz",)}),
        Arm(name="matrix", overrides={**_RELEASED, "model.inputs": ("matrix",)}),
        Arm(name="gcn", model="gauge-mesh/gcn", overrides={"model.channels": 230}),
    ),
    scales={
        "small": Scale(overrides={**_TRAINING, "training.epochs": 2}, seeds=(0,)),
        "paper": Scale(overrides={**_TRAINING, "training.epochs": 100}, seeds=(0, 1, 2)),
    },
    published=(
        Published(
            name="xyz/accuracy",
            value=99.73,
            unit="%",
            source="de Haan et al., ICLR 2021, table of FAUST correspondence",
        ),
    ),
    report="intertwiner_gauge_mesh.recipes.faust_report:report",
)
