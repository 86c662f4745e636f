"""What the experiments are. No torch here.

Arms are given about the same processor time at a scale, not the same number of epochs: an epoch
of flow matching costs a hundredth of one of likelihood. The report says what each took.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from intertwiner.specs import Arm, RecipeSpec, Scale

__all__ = ["recipe_specs"]

PAPER: Final = "arXiv:2105.09016"
_REPORTS: Final = "intertwiner_enflow.recipes"
_TRAINING: Final[Mapping[str, Any]] = {
    "training.batch_size": 100,
    "training.learning_rate": 5e-3,
    "training.gradient_clip": 100.0,
    "training.average_decay": 0.999,
    "training.threads": 1,
    "training.validate_every": 10_000,
}
"""Validation finds exact likelihoods, which takes longer than an epoch: once, at the end."""
_PAPER_TRAINING: Final[Mapping[str, Any]] = {
    "training.learning_rate": 5e-4,
    "training.schedule": "constant",
    "training.average_decay": 0.0,
    "training.weight_decay": 1e-12,
}


def recipe_specs() -> Iterable[RecipeSpec]:
    """Particles with known truth, and molecules."""
    yield _particles("dw4", "DW4: nats from the exact entropy", {}, fast=60, paper=1, controls=30)
    yield _particles(
        "lj13", "LJ13: nats from the entropy", {"data.pair": "half"}, fast=25, paper=1, controls=10
    )
    yield from _molecules()


def _particles(
    name: str, summary: str, data: Mapping[str, Any], *, fast: int, paper: int, controls: int
) -> RecipeSpec:
    """Our training and the published one at about equal time, and the controls."""
    radial = {"training.epochs": controls, "training.learning_rate": 2e-3}
    arms = (
        Arm(name="fast", overrides={"training.epochs": fast}),
        Arm(
            name="paper",
            model="enflow/egnn-paper",
            overrides={**_PAPER_TRAINING, "training.epochs": paper},
        ),
        *(
            Arm(
                name=control,
                model=f"enflow/{control}",
                overrides={**radial, "model.objective": "flow-matching"},
            )
            for control in ("gnn", "kernel", "simple")
        ),
    )
    small = {
        **_TRAINING,
        **data,
        "data.train": 10_000,
        "data.validation": 200 if name == "dw4" else 50,
        "data.test": 1_000 if name == "dw4" else 400,
    }
    scales = {
        "small": Scale(overrides=small, seeds=(0, 1, 2)),
        "paper": Scale(
            overrides={**small, "data.test": 4_000},
            seeds=(0, 1, 2),
            arms=(
                Arm(name="fast", overrides={"training.epochs": 10 * fast, "model.features": 64}),
                Arm(
                    name="paper",
                    model="enflow/egnn-paper",
                    overrides={**_PAPER_TRAINING, "training.epochs": 50},
                ),
            ),
        ),
    }
    if data:
        double = {**small, "data.pair": "double"}
        scales["double"] = Scale(overrides=double, seeds=(0, 1, 2))
    for size in (100, 1_000):
        fewer = {**small, "data.limit": size, "training.epochs": 60 * 10_000 // size}
        scales[f"n{size}"] = Scale(
            overrides=fewer,
            seeds=(0, 1, 2),
            arms=(Arm(name="fast"), _few_paper(size)),
        )
    return RecipeSpec(
        name=name,
        summary=summary,
        reference=PAPER,
        model="enflow/egnn",
        dataset=f"enflow/{name}",
        arms=arms,
        scales=scales,
        report=f"{_REPORTS}.particles:report",
    )


def _few_paper(size: int) -> Arm:
    """The published training of few samples, as many steps as of 10,000."""
    overrides = {**_PAPER_TRAINING, "training.epochs": 10_000 // size}
    return Arm(name="paper", model="enflow/egnn-paper", overrides=overrides)


def _molecules() -> Iterable[RecipeSpec]:
    joint = {**_TRAINING, "model.exact_directions": 0, "training.batch_size": 64}
    published = {**joint, **_PAPER_TRAINING, "training.epochs": 100, "training.batch_size": 128}
    for name, summary, small, hour in (
        ("gfn2", "Positions and elements of small molecules, sampled", 60, 900),
        ("qm9", "Positions and elements of QM9 molecules, sampled", 3, 30),
    ):
        ours = {**joint, "model.tolerance": 1e-4}
        yield RecipeSpec(
            name=f"{name}-joint",
            summary=summary,
            reference=PAPER,
            model="enflow/egnn-joint",
            dataset="atoms/gfn2-small" if name == "gfn2" else f"atoms/{name}",
            arms=(Arm(name="joint"),),
            scales={
                "small": Scale(overrides={**ours, "training.epochs": small}, seeds=(0,)),
                "hour": Scale(overrides={**ours, "training.epochs": hour}, seeds=(0,)),
                "paper": Scale(
                    overrides=published,
                    seeds=(0,),
                    arms=(Arm(name="joint-paper", model="enflow/egnn-joint-paper"),),
                ),
            },
            report=f"{_REPORTS}.molecules:report",
        )
    yield RecipeSpec(
        name="qm9-positional",
        summary="Positions of QM9 molecules of 19 atoms, elements left out",
        reference=PAPER,
        model="enflow/egnn",
        dataset="enflow/same-size",
        arms=(Arm(name="fast"), Arm(name="paper", model="enflow/egnn-paper")),
        scales={
            "small": Scale(
                overrides={**_TRAINING, **_nineteen(6), "training.epochs": 5}, seeds=(0,)
            ),
            "paper": Scale(
                overrides={
                    **_TRAINING,
                    **_nineteen(6),
                    **_PAPER_TRAINING,
                    "training.learning_rate": 2e-4,
                    "training.epochs": 1_000,
                },
                seeds=(0,),
            ),
        },
        report=f"{_REPORTS}.positions:report",
    )


def _nineteen(layers: int) -> Mapping[str, Any]:
    return {
        "data.of": "atoms/qm9",
        "data.atoms": 19,
        "model.layers": layers,
        "model.features": 64,
        "training.batch_size": 128,
    }
