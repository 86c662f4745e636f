"""Settings of the flows. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

__all__ = [
    "ControlFlowConfig",
    "EgnnFlowConfig",
    "FlowConfig",
    "GraphFlowConfig",
    "JointFlowConfig",
    "PaperFlowConfig",
    "PaperJointFlowConfig",
]

ProbeName = Literal["rademacher", "gaussian", "orthonormal"]


@dataclass(frozen=True, kw_only=True)
class FlowConfig:
    """What all flows have: how they are trained, and how their densities are found.

    objective: "flow-matching" learns the velocity of straight paths from data to prior, without
        integrating; "likelihood" maximises the density of the data.
    fine_tune_after: training steps after which flow matching gives way to likelihood; 0: never.
    align: pair every configuration with the image of the noise that is nearest to it under
        rotations, reflections and permutations. Only for velocities that commute with them.
    align_rounds: of assignment and rotation in turn, for more than five particles.
    divergence, probes, probe_kind: of the likelihood in training.
    steps_least, steps_most: of the Dormand-Prince method in likelihood training, drawn anew for
        every step, on a grid whose points are moved by up to `jitter` of a step: a network
        trained on one fixed grid learns to exploit its error. 0 steps: adaptive, at
        `training_tolerance`.
    regulariser: weight of the integral of |J p|^2 + |v|^2 in the likelihood loss (one probe).
    tolerance: of densities and samples, in training and evaluation alike.
    """

    objective: Literal["flow-matching", "likelihood"] = "flow-matching"
    fine_tune_after: Annotated[int, Ge(0)] = 0
    align: bool = True
    align_rounds: Annotated[int, Ge(1)] = 1
    divergence: Literal["exact", "hutchinson"] = "hutchinson"
    probes: Annotated[int, Ge(1)] = 1
    probe_kind: ProbeName = "rademacher"
    steps_least: Annotated[int, Ge(0)] = 4
    steps_most: Annotated[int, Ge(0)] = 6
    jitter: Annotated[float, Ge(0), Le(0.45)] = 0.3
    training_tolerance: Annotated[float, Gt(0)] = 1e-4
    regulariser: Annotated[float, Ge(0)] = 0.0
    tolerance: Annotated[float, Gt(0)] = 1e-5


@dataclass(frozen=True, kw_only=True)
class EgnnFlowConfig(FlowConfig):
    """The equivariant flow of positions.

    layers, features: of the network. attention: weigh every message by a learned gate.
    tanh: bound a pair's displacement in a layer by 15 / layers.
    condition_time: let the velocity depend on the flow's time.
    particles: their number, when only one is to be taken; 0 for any.
    scaled: divide configurations by the standard deviation of a training coordinate, which flow
        matching learns much faster.
    """

    layers: Annotated[int, Ge(1)] = 3
    features: Annotated[int, Ge(1)] = 32
    attention: bool = True
    tanh: bool = True
    condition_time: bool = True
    particles: Annotated[int, Ge(0)] = 0
    scaled: bool = True


@dataclass(frozen=True, kw_only=True)
class PaperFlowConfig(EgnnFlowConfig):
    """The published training: maximum likelihood, adaptive at 1e-4, one probe; tested at 1e-7."""

    objective: Literal["flow-matching", "likelihood"] = "likelihood"
    steps_least: Annotated[int, Ge(0)] = 0
    steps_most: Annotated[int, Ge(0)] = 0
    tolerance: Annotated[float, Gt(0)] = 1e-7
    scaled: bool = False


@dataclass(frozen=True, kw_only=True)
class GraphFlowConfig(FlowConfig):
    """The control without equivariance: messages between particles, positions as features.

    turn: rotate the data at random in training ("aug"). It must not be trained on aligned pairs.
    """

    objective: Literal["flow-matching", "likelihood"] = "likelihood"
    align: bool = False
    layers: Annotated[int, Ge(1)] = 3
    features: Annotated[int, Ge(1)] = 32
    attention: bool = True
    turn: bool = False


@dataclass(frozen=True, kw_only=True)
class ControlFlowConfig(FlowConfig):
    """The radial controls: a field made of functions of pair distances.

    largest_distance: up to which the Gaussian basis reaches, in the data's unit.
    """

    objective: Literal["flow-matching", "likelihood"] = "likelihood"
    largest_distance: Annotated[float, Gt(0)] = 8.0


@dataclass(frozen=True, kw_only=True)
class JointFlowConfig(FlowConfig):
    """The equivariant flow of positions and elements together.

    layers, features: of the velocity's network; dequantizer_layers: of the network that lifts
    elements to continuous numbers when likelihood is trained.
    lifting_margin, lifting_spread: of the fixed distribution that lifts elements for flow
        matching, see `FixedLifting`.
    importance_samples: draws of the lifting in the bound of log p.
    exact_directions: coordinates of a molecule, positions and features, up to which its figure is
        exact (a second or more each); above, it is by one probe.
    """

    layers: Annotated[int, Ge(1)] = 4
    features: Annotated[int, Ge(1)] = 64
    attention: bool = True
    tanh: bool = True
    dequantizer_layers: Annotated[int, Ge(1)] = 4
    lifting_margin: Annotated[float, Ge(0)] = 2.0
    lifting_spread: Annotated[float, Gt(0)] = 0.5
    importance_samples: Annotated[int, Ge(1)] = 1
    exact_directions: Annotated[int, Ge(0)] = 128


@dataclass(frozen=True, kw_only=True)
class PaperJointFlowConfig(JointFlowConfig):
    """The published training: maximum likelihood of the bound, with its regulariser."""

    objective: Literal["flow-matching", "likelihood"] = "likelihood"
    layers: Annotated[int, Ge(1)] = 6
    probe_kind: ProbeName = "gaussian"
    steps_least: Annotated[int, Ge(0)] = 0
    steps_most: Annotated[int, Ge(0)] = 0
    regulariser: Annotated[float, Ge(0)] = 1e-3
    tolerance: Annotated[float, Gt(0)] = 1e-7
