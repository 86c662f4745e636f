"""The recipe `angular-ablation`: dipoles with and without angular features. No torch here.

All arms have the same depth, cutoff, radial basis, data and training. The arm without angular
features is widened until it has as many parameters as the arm with them. It can only use the
charge read-out, in which directions come from the positions; the third arm has angular features
and that same read-out, and so tells features and read-out apart.
"""

from __future__ import annotations

from typing import Any, Final

from intertwiner.specs import Arm, RecipeSpec, Scale
from intertwiner_equivariant_conv.width import count_parameters, match_width

__all__ = ["ABLATION", "ARMS", "DEPTH", "ELEMENTS", "RADIAL_HIDDEN"]

DEPTH: Final = 3
ELEMENTS: Final = 5
RADIAL_HIDDEN: Final = (32, 32)
CHANNELS: Final = 32


def _matched(lmax: int, parameters: int, readout: str) -> dict[str, Any]:
    """Model settings of an arm with about so many parameters."""
    channels = match_width(
        parameters,
        DEPTH,
        lmax,
        elements=ELEMENTS,
        charges="charge" in readout,
        vectors="vector" in readout,
        radial_hidden=RADIAL_HIDDEN,
    )
    return {
        "model.lmax": lmax,
        "model.channels": channels,
        "model.dipole_readout": readout,
    }


_PARAMETERS = count_parameters(
    CHANNELS,
    DEPTH,
    1,
    elements=ELEMENTS,
    charges=False,
    vectors=True,
    radial_hidden=RADIAL_HIDDEN,
)

ARMS: Final = (
    Arm(name="lmax1-vector", overrides=_matched(1, _PARAMETERS, "vector")),
    Arm(name="lmax0-charge", overrides=_matched(0, _PARAMETERS, "charge")),
    Arm(name="lmax1-charge", overrides=_matched(1, _PARAMETERS, "charge")),
)

_SMALL: Final = {
    "model.layers": DEPTH,
    "model.cutoff": 4.0,
    "model.radial_hidden": RADIAL_HIDDEN,
    "data.targets": ("dipole",),
    "training.epochs": 8,
    "training.batch_size": 32,
    "training.learning_rate": 5e-3,
    "training.average_decay": 0.98,
    "training.threads": 1,
}

ABLATION: Final = RecipeSpec(
    name="angular-ablation",
    summary="The dipole moment with and without angular features, at equal size and training",
    reference="arXiv:2008.08461",
    model="equivariant-conv/depthwise",
    dataset="atoms/gfn2-small",
    arms=ARMS,
    scales={"small": Scale(overrides=_SMALL, seeds=(0, 1))},
    report="intertwiner_equivariant_conv.recipes:report",
)
