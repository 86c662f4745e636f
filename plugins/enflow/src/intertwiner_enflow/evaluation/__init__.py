"""How far a flow is from a target whose truth is known."""

from intertwiner_enflow.evaluation.controls import GaussianDensity, fitted_gaussian, identity
from intertwiner_enflow.evaluation.density import DensityReport, evaluate_density
from intertwiner_enflow.evaluation.estimators import (
    Estimate,
    effective_sample_size,
    forward_effective_sample_size,
    kl_forward,
    kl_reverse,
    log_z_by_importance,
    reweighted_mean,
)
from intertwiner_enflow.evaluation.floor import BelowFloor, check_floor
from intertwiner_enflow.evaluation.one_probe import OneProbe
from intertwiner_enflow.evaluation.transport import wasserstein

__all__ = [
    "BelowFloor",
    "DensityReport",
    "Estimate",
    "GaussianDensity",
    "OneProbe",
    "check_floor",
    "effective_sample_size",
    "evaluate_density",
    "fitted_gaussian",
    "forward_effective_sample_size",
    "identity",
    "kl_forward",
    "kl_reverse",
    "log_z_by_importance",
    "reweighted_mean",
    "wasserstein",
]
