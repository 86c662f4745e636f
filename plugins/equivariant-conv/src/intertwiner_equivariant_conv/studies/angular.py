"""The recipe `angular-study`: angular order 0, 1, 2 against depth. No torch here.

The paper's network with its own read-out, a sum of atomic scalars, one for every target. All arms
share data, split, steps, optimiser and radial functions; they differ in order, depth and widths.
"Matched by components" keeps the numbers an atom has (the published widths), in which case an arm
of higher order or smaller depth has fewer parameters; "matched by parameters" keeps those.

Scale "paper" is the published recipe on QM9 as far as the settings go. It differs from it in that
109,000 molecules are drawn from 85 % of all, 5 % validate and 10 % test; the learning rate stays
at 1e-4 for all 55 epochs, without falling on a plateau; and one network learns all targets, each
in its own spread, with weights of its own in the last layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from intertwiner.specs import Arm, Published, RecipeSpec, Scale

__all__ = [
    "ANGULAR_STUDY",
    "DEPTHS",
    "MATCHINGS",
    "ORDERS",
    "PAPER_TARGETS",
    "TARGETS",
    "angular_name",
    "arm_name",
    "depth_name",
]

DEPTHS: Final = ("shallow", "deep")
MATCHINGS: Final = ("components", "parameters")
ORDERS: Final = (0, 1, 2)
TARGETS: Final = ("energy", "homo", "lumo", "gap", "polarizability_mean", "dipole_magnitude")
PAPER_TARGETS: Final = (
    *("mu", "alpha", "homo", "lumo", "gap", "r2"),
    *("zpve", "U0", "U", "H", "G", "Cv"),
)
Widths = Mapping[tuple[str, str], tuple[tuple[int, ...], ...]]
"""(matching, depth) -> multiplicities for every order."""

_SMALL_LAYERS: Final = {"shallow": 2, "deep": 3}
_SMALL_WIDTHS: Final[Widths] = {
    ("components", "shallow"): ((32,), (17, 5), (10, 4, 2)),
    ("components", "deep"): ((32,), (17, 5), (10, 4, 2)),
    ("parameters", "shallow"): ((42,), (26, 9), (22, 7, 4)),
    ("parameters", "deep"): ((32,), (20, 7), (16, 6, 3)),
}
_PAPER_LAYERS: Final = {"shallow": 3, "deep": 4}
_PAPER_WIDTHS: Final[Widths] = {
    ("components", "shallow"): ((128,), (64, 21), (42, 14, 8)),
    ("components", "deep"): ((128,), (64, 21), (42, 14, 8)),
    ("parameters", "shallow"): ((152,), (96, 32), (77, 26, 15)),
    ("parameters", "deep"): ((128,), (81, 27), (65, 22, 13)),
}


def arm_name(matching: str, order: int, depth: str) -> str:
    """The arm of a matching, order and depth; the deep one of order 0 belongs to both matchings."""
    if (order, depth) == (0, "deep"):
        return "l0-deep"
    return f"l{order}-{depth}-{matching}"


def angular_name(matching: str, order: int) -> str:
    """The figure of what angular features bring."""
    return f"{matching} matched/order 0 to {order}"


def depth_name(matching: str) -> str:
    """The figure of what depth brings."""
    return f"{matching} matched/shallow to deep"


def _arms(widths: Widths, layers: Mapping[str, int]) -> tuple[Arm, ...]:
    arms: dict[str, Arm] = {}
    for (matching, depth), blocks in widths.items():
        for order in ORDERS:
            name = arm_name(matching, order, depth)
            overrides = {"model.multiplicities": blocks[order], "model.layers": layers[depth]}
            model = f"equivariant-conv/paper-l{order}"
            arms[name] = Arm(name=name, overrides=overrides, model=model)
    return tuple(arms[name] for name in sorted(arms))


_SMALL: Final[Mapping[str, Any]] = {
    "model.embed": 32,
    "model.radial_hidden": 32,
    "model.radial_basis": 16,
    "data.targets": TARGETS,
    "training.epochs": 5,
    "training.batch_size": 32,
    "training.learning_rate": 5e-2,
    "training.average_decay": 0.98,
    "training.threads": 2,
}
_PAPER: Final[Mapping[str, Any]] = {
    "model.atom_references": "none",
    "data.targets": PAPER_TARGETS,
    "data.limit": 109_000,
    "data.uncharacterized": "keep",
    "training.epochs": 55,
    "training.batch_size": 16,
    "training.learning_rate": 1e-4,
    "training.schedule": "constant",
    "training.gradient_clip": None,
    "training.average_decay": 0.0,
}


def _published(name: str, value: float) -> Published:
    source = "arXiv:2008.08461, abstract: mean over the targets of QM9"
    return Published(name=name, value=value, unit="%", source=source)


ANGULAR_STUDY: Final = RecipeSpec(
    name="angular-study",
    summary="Angular order 0, 1, 2 against depth, over all scalar targets at once",
    reference="arXiv:2008.08461",
    model="equivariant-conv/paper-l0",
    dataset="atoms/gfn2-small",
    arms=_arms(_SMALL_WIDTHS, _SMALL_LAYERS),
    scales={
        "small": Scale(overrides=_SMALL, seeds=(0, 1, 2)),
        "paper": Scale(
            overrides=_PAPER,
            seeds=(0, 1, 2),
            dataset="atoms/qm9",
            arms=_arms(_PAPER_WIDTHS, _PAPER_LAYERS),
        ),
    },
    report="intertwiner_equivariant_conv.studies.angular_report:report",
    published=tuple(
        item
        for matching in MATCHINGS
        for item in (
            _published(angular_name(matching, 1), 23.0),
            _published(depth_name(matching), 4.0),
        )
    ),
)
