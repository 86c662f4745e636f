"""The recipe `tetris`: pieces at rotations that were never trained on.

At scale "small" volumes have 17 voxels, analytic rendering and eight training rotations of each
piece; at scale "paper" 36 voxels, cubes turned by splines, one rotation, the paper's networks.
No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from intertwiner.specs import Arm, Published, RecipeSpec, Scale

__all__ = ["TETRIS"]

_TRAINING: Final[Mapping[str, Any]] = {
    "data.rotations": 8,
    "training.epochs": 50,
    "training.batch_size": 8,
    "training.learning_rate": 0.03,
    "training.warmup_steps": 10,
    "training.gradient_clip": None,
    "training.average_decay": 0.0,
    "training.validate_every": 50,
    "training.threads": 1,
}
STEERABLE: Final[Mapping[str, Any]] = {
    "model.fields": ((4, 4, 4), (8, 8, 8), (32,)),
    "model.sizes": (5, 5, 5),
    "model.strides": (2, 2, 1),
    "model.head": "mean",
    "model.hidden": (),
    "model.calibrated": True,
    "model.standardise": True,
}
CNN: Final[Mapping[str, Any]] = {
    "model.channels": (12, 32, 48),
    "model.sizes": (5, 5, 5),
    "model.strides": (2, 2, 1),
    "model.head": "mean",
    "model.hidden": (),
    "training.learning_rate": 0.01,
    "training.epochs": 60,
    "training.validate_every": 60,
}
_PAPER: Final[Mapping[str, Any]] = {
    "data.mode": "paper",
    "data.other_rotations": 100,
    "training.epochs": 250,
    "training.batch_size": 8,
    "training.learning_rate": 0.1,
    "training.gradient_clip": None,
    "training.average_decay": 0.0,
    "training.validate_every": 250,
}
_SOURCE: Final = "Weiler et al. 2018, arXiv:1807.02547, 17 runs"

TETRIS: Final = RecipeSpec(
    name="tetris",
    summary="Tetris pieces at unseen rotations: steerable and plain CNNs, low-pass or not",
    reference="arXiv:1807.02547",
    model="steerable3d/network",
    dataset="steerable3d/tetris",
    arms=(
        Arm(name="steerable", overrides=STEERABLE),
        Arm(name="steerable-plain-strides", overrides={**STEERABLE, "model.smooth": False}),
        Arm(name="cnn", model="steerable3d/cnn", overrides=CNN),
    ),
    scales={
        "small": Scale(overrides=_TRAINING, seeds=(0, 1, 2, 3, 4)),
        "paper": Scale(
            overrides=_PAPER,
            seeds=(0, 1, 2, 3, 4),
            arms=(
                Arm(name="steerable", model="steerable3d/tetris"),
                Arm(
                    name="steerable-plain-strides",
                    model="steerable3d/tetris",
                    overrides={"model.smooth": False},
                ),
                Arm(name="cnn", model="steerable3d/tetris-cnn"),
            ),
        ),
    },
    report="intertwiner_steerable3d.recipes.tetris_report:report",
    published=(
        Published(name="steerable/accuracy", value=0.99, unit="", source=_SOURCE),
        Published(name="cnn/accuracy", value=0.27, unit="", source=_SOURCE),
        Published(name="steerable-plain-strides/accuracy", value=0.36, unit="", source=_SOURCE),
    ),
)
