"""The recipe `dipole-readouts`: how the dipole is read out against what features are. No torch.

The paper's read-out is a sum of atomic scalars that learns the length of the dipole: it has to
infer relative directions of bond dipoles from distances. A charge read-out has directions for
free, from the positions, with features of order 0 too. Five arms of equally many parameters, of
the same depth and training, tell features and read-out apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from intertwiner.specs import Arm, RecipeSpec, Scale
from intertwiner_equivariant_conv.width import count_parameters, match_width

__all__ = ["ARMS", "DEPTH", "DIPOLE_READOUTS", "RADIAL_HIDDEN", "parameters_of"]

ARMS: Final[Mapping[str, tuple[int, str]]] = {
    "l0-scalar": (0, "scalar"),
    "l0-charge": (0, "charge"),
    "l1-scalar": (1, "scalar"),
    "l1-vector": (1, "vector"),
    "l1-charge-vector": (1, "charge+vector"),
}
"""Name -> (order of the features, read-out)."""

DEPTH: Final = 3
RADIAL_HIDDEN: Final = (32, 32)
_PARAMETERS: Final = 45_200
"""Of every arm, nearly: 35 to 41 channels of order 1, 70 of order 0."""


def _counted(order: int, readout: str) -> dict[str, Any]:
    """What `count_parameters` and `match_width` are told of an arm."""
    return {
        "depth": DEPTH,
        "lmax": order,
        "charges": readout != "vector",
        "vectors": "vector" in readout,
        "radial_hidden": RADIAL_HIDDEN,
    }


def parameters_of(order: int, readout: str, channels: int) -> int:
    """Parameters of an arm; the scalar read-out has those of the charge read-out."""
    return count_parameters(channels, **_counted(order, readout))


def _arm(name: str, order: int, readout: str) -> Arm:
    target = "dipole_magnitude" if readout == "scalar" else "dipole"
    return Arm(
        name=name,
        overrides={
            "model.lmax": order,
            "model.channels": match_width(_PARAMETERS, **_counted(order, readout)),
            "model.dipole_readout": readout,
            "data.targets": (target,),
        },
    )


_SMALL: Final[Mapping[str, Any]] = {
    "model.layers": DEPTH,
    "model.cutoff": 4.0,
    "model.radial_hidden": RADIAL_HIDDEN,
    "model.pooling": "sum",
    "training.epochs": 6,
    "training.batch_size": 32,
    "training.learning_rate": 5e-3,
    "training.average_decay": 0.98,
    "training.threads": 1,
}

DIPOLE_READOUTS: Final = RecipeSpec(
    name="dipole-readouts",
    summary="The dipole moment read out as scalars, charges, vectors, at order 0 and 1",
    reference="arXiv:2008.08461",
    model="equivariant-conv/depthwise",
    dataset="atoms/gfn2-small",
    arms=tuple(_arm(name, *kind) for name, kind in ARMS.items()),
    scales={"small": Scale(overrides=_SMALL, seeds=(0, 1, 2))},
    report="intertwiner_equivariant_conv.studies.dipole_report:report",
)
