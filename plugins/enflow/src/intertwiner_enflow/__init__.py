"""Equivariant normalizing flows whose likelihood can be trusted, as plain `torch.nn.Module`s.

Names are imported on first use, so that `import intertwiner_enflow` stays free of torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intertwiner_enflow.config import EgnnFlowConfig, JointFlowConfig
    from intertwiner_enflow.discrete.dequantizer import Dequantizer
    from intertwiner_enflow.discrete.vocabulary import Vocabulary
    from intertwiner_enflow.dynamics.egnn import EgnnVelocity
    from intertwiner_enflow.dynamics.joint import JointVelocity
    from intertwiner_enflow.dynamics.published import from_published
    from intertwiner_enflow.errors import ShapeError, SolverError, StateError
    from intertwiner_enflow.flow import Density, Flow
    from intertwiner_enflow.joint import JointDensity, JointFlow, Molecules
    from intertwiner_enflow.losses.flow_matching import flow_matching_loss
    from intertwiner_enflow.losses.likelihood import LikelihoodSettings, negative_log_likelihood
    from intertwiner_enflow.solver.solve import SolverSettings

__version__ = "0.1.0"

_PACKAGE = "intertwiner_enflow"
_HOME = {
    "Density": "flow",
    "Dequantizer": "discrete.dequantizer",
    "EgnnFlowConfig": "config",
    "EgnnVelocity": "dynamics.egnn",
    "Flow": "flow",
    "JointDensity": "joint",
    "JointFlow": "joint",
    "JointFlowConfig": "config",
    "JointVelocity": "dynamics.joint",
    "LikelihoodSettings": "losses.likelihood",
    "Molecules": "joint",
    "ShapeError": "errors",
    "SolverError": "errors",
    "SolverSettings": "solver.solve",
    "StateError": "errors",
    "Vocabulary": "discrete.vocabulary",
    "flow_matching_loss": "losses.flow_matching",
    "from_published": "dynamics.published",
    "negative_log_likelihood": "losses.likelihood",
}

__all__ = [
    "Density",
    "Dequantizer",
    "EgnnFlowConfig",
    "EgnnVelocity",
    "Flow",
    "JointDensity",
    "JointFlow",
    "JointFlowConfig",
    "JointVelocity",
    "LikelihoodSettings",
    "Molecules",
    "ShapeError",
    "SolverError",
    "SolverSettings",
    "StateError",
    "Vocabulary",
    "__version__",
    "flow_matching_loss",
    "from_published",
    "negative_log_likelihood",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{_PACKAGE}.{_HOME[name]}"), name)
