"""Settings, constants and presets of the paper's network. Nothing here imports torch.

The constants make the second moment of an activation of N(0, 1) numbers one, as exact integrals:
a network rebuilt elsewhere is the same network. (The published code estimates them from unseeded
draws at every start and does not store them.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from annotated_types import Ge, Gt, Len

from intertwiner_equivariant_conv.config import EXTENSIVE

__all__ = [
    "GATE_SCALE",
    "HIDDEN_SCALE",
    "PRESETS",
    "PUBLISHED_MAX_Z",
    "SCALAR_SCALE",
    "SHARPNESS",
    "PaperConfig",
    "PaperL0Config",
    "PaperL1Config",
    "PaperL2Config",
]

SHARPNESS: Final = 5.0
"""beta of softplus(x) = ln(1 + e^(beta x)) / beta."""

HIDDEN_SCALE: Final = 1.5643071626114733
"""k_f of softplus(x) - ln(2)/beta, the activation of the radial network."""

SCALAR_SCALE: Final = 1.404383347631727
"""k_s of softplus(x), the activation of scalars."""

GATE_SCALE: Final = 1.846228545338414
"""Of the sigmoid, the activation of gates."""

Multiplicity = Annotated[int, Ge(1)]

PUBLISHED_MAX_Z = 9
"""The paper's embedding has rows for H to F, and row 0 for padding."""


@dataclass(frozen=True, kw_only=True)
class PaperConfig:
    """The paper's network.

    multiplicities: features of order 0, 1, 2 of every atom. layers: gated convolutions.
    embed: width of the embedding of elements; max_z: largest atomic number it has a row for;
        None for the largest of the data, at least the published 9 (H to F).
    radial: "bessel" (as in the repository since March 2020), "cosine" (before that; both are
        zero from the cutoff on) or "gaussian". radial_basis: how many functions.
    cutoff: of the radial functions, in angstrom.
    radial_hidden: width of the hidden layers of the radial network; radial_layers: how many.
    self_interaction: "none" is what was published: with "bessel" an atom does not act on itself,
        since the basis as coded is 0 at r = 0; "linear" adds a learned map of every order.
    readout: "conv" is a convolution to one number an atom for every target; "mlp" is
        `readout_layers` - 1 gated convolutions, one to 128 scalars, and dense layers of the
        widths `readout_hidden` with a last one for every target.
    atom_references: "fit" subtracts the linear fit of a target to the composition; "auto" does so
        for the targets named in `extensive`.
    """

    multiplicities: Annotated[tuple[Multiplicity, ...], Len(1, 3)] = (64, 21)
    layers: Annotated[int, Ge(1)] = 4
    embed: Multiplicity = 128
    max_z: Multiplicity | None = None
    radial: Literal["bessel", "cosine", "gaussian"] = "bessel"
    radial_basis: Annotated[int, Ge(2)] = 50
    cutoff: Annotated[float, Gt(0)] = 10.0
    radial_hidden: Multiplicity = 128
    radial_layers: Annotated[int, Ge(1)] = 2
    self_interaction: Literal["none", "linear"] = "none"
    readout: Literal["conv", "mlp"] = "conv"
    readout_layers: Annotated[int, Ge(1)] = 1
    readout_hidden: tuple[Multiplicity, ...] = (128,)
    atom_references: Literal["auto", "none", "fit"] = "auto"
    extensive: tuple[str, ...] = EXTENSIVE

    @property
    def lmax(self) -> int:
        """Largest order of the features."""
        return len(self.multiplicities) - 1


@dataclass(frozen=True, kw_only=True)
class PaperL0Config(PaperConfig):
    """128 features of order 0: the network sees distances only."""

    multiplicities: Annotated[tuple[Multiplicity, ...], Len(1, 1)] = (128,)


@dataclass(frozen=True, kw_only=True)
class PaperL1Config(PaperConfig):
    """64 features of order 0 and 21 of order 1."""

    multiplicities: Annotated[tuple[Multiplicity, ...], Len(2, 2)] = (64, 21)


@dataclass(frozen=True, kw_only=True)
class PaperL2Config(PaperConfig):
    """42 features of order 0, 14 of order 1, 8 of order 2."""

    multiplicities: Annotated[tuple[Multiplicity, ...], Len(3, 3)] = (42, 14, 8)


_SMALL: Final = {"layers": 3, "embed": 32, "radial_hidden": 32, "radial_basis": 16}

PRESETS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "paper-l0": {"multiplicities": (128,)},
        "paper-l1": {"multiplicities": (64, 21)},
        "paper-l2": {"multiplicities": (42, 14, 8)},
        "paper-multitask-l1": {"multiplicities": (48, 16), "embed": 96, "radial_hidden": 96},
        "small-l0": {**_SMALL, "multiplicities": (32,)},
        "small-l1": {**_SMALL, "multiplicities": (16, 5)},
        "small-l2": {**_SMALL, "multiplicities": (10, 4, 2)},
    }
)
"""Settings by name. The small ones train on a CPU; within a size all have as many components."""
