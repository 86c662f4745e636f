"""Densities whose truth is known: what a flow's likelihood is held against."""

from intertwiner_enflow.targets.base import Known, Target
from intertwiner_enflow.targets.double_well import DoubleWell
from intertwiner_enflow.targets.lennard_jones import LennardJones
from intertwiner_enflow.targets.named import target_named

__all__ = ["DoubleWell", "Known", "LennardJones", "Target", "target_named"]
