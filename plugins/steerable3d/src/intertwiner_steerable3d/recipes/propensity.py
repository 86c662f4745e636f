"""The recipe `propensity`: which amino acid was here, beside controls that need no convolution.

The data are your own copy: put `bm5_unbound.npz` in the data folder, see `intertwiner data path
steerable3d/propensity`. Volumes have 13 voxels of 1.5 angstrom, in the residue's own frame unless
an arm says otherwise. The arms "steerable", "cnn" and "cnn-turned" take about the same time, which
the report prints. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from intertwiner.specs import Arm, RecipeSpec, Scale

__all__ = ["PROPENSITY"]

_TRAINING: Final[Mapping[str, Any]] = {
    "data.side": 13,
    "data.step": 1.5,
    "data.sigma": 1.2,
    "data.frame": "backbone",
    "data.validation": 4000,
    "training.batch_size": 64,
    "training.learning_rate": 2e-3,
    "training.warmup_steps": 50,
    "training.weight_decay": 1e-2,
    "training.gradient_clip": 5.0,
    "training.average_decay": 0.99,
    "training.threads": 1,
    "training.checkpoint_steps": 200,
}
_HEAD: Final[Mapping[str, Any]] = {
    "data.counts": False,
    "model.head": "flatten",
    "model.inputs_join": True,
    "model.standardise": True,
    "model.smooth": False,
    "model.hidden": (256,),
    "model.dropout": 0.4,
}
STEERABLE: Final[Mapping[str, Any]] = {
    **_HEAD,
    "model.fields": ((10, 5, 2), (40,)),
    "model.sizes": (5, 3),
    "model.strides": (2, 2),
    "model.tau": 0.15,
}
CNN: Final[Mapping[str, Any]] = {
    **_HEAD,
    "model.channels": (16, 32, 32),
    "model.sizes": (5, 3, 3),
    "model.strides": (2, 1, 2),
}
_COUNTS: Final[Mapping[str, Any]] = {
    "training.learning_rate": 1e-3,
    "training.batch_size": 256,
    "data.side": 1,
    "data.radius": 24.0,
    "data.keep": True,
}


def _sizes(name: str, settings: Mapping[str, Any], model: str) -> tuple[Arm, ...]:
    """The arm on a quarter and a sixteenth of the training residues, for as many steps."""
    return tuple(
        Arm(
            name=f"{name}-{residues}",
            model=model,
            overrides={**settings, "data.limit": residues, "training.epochs": epochs},
        )
        for residues, epochs in ((19685, 5), (4921, 10))
    )


_ARMS: Final = (
    Arm(name="steerable", overrides=STEERABLE),
    Arm(name="cnn", model="steerable3d/cnn", overrides=CNN),
    Arm(
        name="cnn-turned",
        model="steerable3d/cnn",
        overrides={**CNN, "model.turn": True, "data.frame": "random"},
    ),
    Arm(name="counts", model="steerable3d/counts", overrides={**_COUNTS, "training.epochs": 8}),
    Arm(
        name="counts-shells",
        model="steerable3d/counts",
        overrides={**_COUNTS, "model.features": "shells", "training.epochs": 8},
    ),
    Arm(
        name="linear-shells",
        model="steerable3d/counts",
        overrides={
            **_COUNTS,
            "model.features": "shells",
            "model.hidden": (),
            "model.dropout": 0.0,
            "model.input_dropout": 0.0,
            "training.epochs": 4,
        },
    ),
)
_MORE: Final = (
    Arm(
        name="steerable-shells",
        overrides={
            **STEERABLE,
            "model.head": "shells",
            "model.fields": ((12, 6, 3), (16, 8), (64,)),
            "model.sizes": (5, 5, 3),
            "model.strides": (2, 2, 1),
            "data.frame": "none",
        },
    ),
    Arm(name="steerable-shuffled", overrides={**STEERABLE, "data.shuffled": True}),
    *_sizes("steerable", STEERABLE, "steerable3d/network"),
    *_sizes("counts", _COUNTS, "steerable3d/counts"),
)

PROPENSITY: Final = RecipeSpec(
    name="propensity",
    summary="Amino acids from their surroundings: steerable and plain CNNs, counts of atoms",
    reference="arXiv:1807.02547",
    model="steerable3d/network",
    dataset="steerable3d/propensity",
    arms=_ARMS,
    scales={
        "small": Scale(overrides={**_TRAINING, "training.epochs": 5}, seeds=(0,)),
        "paper": Scale(
            overrides={**_TRAINING, "training.epochs": 10}, seeds=(0, 1, 2), arms=(*_ARMS, *_MORE)
        ),
    },
    report="intertwiner_steerable3d.recipes.propensity_report:report",
)
