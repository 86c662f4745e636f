"""The checks of a model, each with the broken twins it must be able to tell from a sound model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch

from intertwiner.conformance.checks import (
    batching,
    gauge,
    gradients,
    grid,
    numerics,
    persistence,
    reaction,
    sampling,
    symmetry,
)
from intertwiner.conformance.findings import Finding
from intertwiner.conformance.subject import Subject
from intertwiner.fields import Structure

__all__ = ["MODEL_CHECKS", "ModelCheck"]

SPACES: Final = ("E(3)", "SE(3)", "E(n)")
MIRRORED: Final = ("E(3)", "E(n)")


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """One property of a model.

    twin: the fault a broken twin is given; None where the check is about the declaration alone.
    spaces: the declared symmetries in space it applies to; None for every model.
    permutes: applies when the model declares that items may be renumbered.
    once: asked only of the schema with all outputs.
    densities: asked of models of a density; `outputs`: of all others.
    structures: the structures it applies to; empty for all.
    gauge, grid: applies when the model declares such a symmetry.
    """

    name: str
    run: Callable[[Subject], list[Finding]]
    twin: str | None
    spaces: tuple[str, ...] | None = None
    permutes: bool = False
    once: bool = False
    densities: bool = True
    outputs: bool = True
    structures: tuple[Structure, ...] = ()
    gauge: bool = False
    grid: bool = False

    def applies(self, subject: Subject) -> bool:
        if not (self.densities if subject.density else self.outputs):
            return False
        if self.structures and subject.spec.reads not in self.structures:
            return False
        if self.spaces is not None and subject.spec.reads == Structure.VOXELS:
            return False
        if self.grid:
            return subject.symmetry.grid is not None
        if self.gauge:
            return subject.symmetry.gauge is not None
        if self.permutes:
            return bool(subject.symmetry.permutes)
        return self.spaces is None or subject.symmetry.space in self.spaces

    def __call__(self, subject: Subject) -> list[Finding]:
        """What is wrong with the model; else, what is wrong with the check itself."""
        findings = self.run(subject)
        if findings or self.twin is None:
            return findings
        size = min(1.0, 1000 * subject.tolerance(torch.float64))
        if self.run(subject.broken(self.twin, size)):
            return []
        what = (
            f"the check '{self.name}' cannot fail here: it also passes a copy of the model with a "
            f"fault put in ({self.twin!r}), so it says nothing about the model"
        )
        return [Finding("", what, hint="whether the outputs depend on anything at all")]


MODEL_CHECKS: Final = (
    ModelCheck("outputs", reaction.outputs, None),
    ModelCheck("reaction", reaction.reaction, "constant"),
    ModelCheck("channels", reaction.channels, None, densities=False),
    ModelCheck("rotation", symmetry.rotation, "axis", SPACES),
    ModelCheck("reflection", symmetry.reflection, "handedness", MIRRORED),
    ModelCheck("translation", symmetry.translation_far, "place", SPACES),
    ModelCheck("permutation", symmetry.permutation, "numbering", permutes=True),
    ModelCheck("face corners", symmetry.corners, "corner", structures=(Structure.MESH,)),
    ModelCheck("gauge", gauge.gauge, "frame", gauge=True),
    ModelCheck("grid", grid.grid, "axis", grid=True),
    ModelCheck("other symmetry", symmetry.uncovered, None),
    ModelCheck("batching", batching.batching, "company"),
    ModelCheck("determinism", numerics.determinism, "counts its calls"),
    ModelCheck("precision", numerics.precision, "always float32"),
    ModelCheck("device", numerics.device, None, once=True),
    ModelCheck("gradients", gradients.gradients, "unused parameter"),
    ModelCheck("training loss", gradients.training_loss, None),
    ModelCheck("degenerate records", gradients.degenerate, "square root of zero"),
    ModelCheck("checkpoint", persistence.checkpoint, "state outside the checkpoint"),
    ModelCheck("seed", persistence.same_seed_same_model, None, once=True),
    ModelCheck("samples", sampling.samples, None, outputs=False),
)
