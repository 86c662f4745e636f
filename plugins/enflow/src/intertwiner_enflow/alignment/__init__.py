"""The best partner of a configuration among all images of a noise sample under E(n) x S(N)."""

from intertwiner_enflow.alignment.align import align, cost
from intertwiner_enflow.alignment.assignment import assign, assign_features
from intertwiner_enflow.alignment.rotation import rotation

__all__ = ["align", "assign", "assign_features", "cost", "rotation"]
