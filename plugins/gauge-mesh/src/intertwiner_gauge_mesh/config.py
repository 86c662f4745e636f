"""Settings of the networks. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Interval, Le, Len

__all__ = ["GemConfig", "GemUNetConfig", "Nonlinearity", "SelfMode", "Weights"]

Nonlinearity = Literal["product", "gate", "quad", "relu", "silu", "gelu", "softplus"]
SelfMode = Literal["outside", "in_mean", "none"]
Weights = Literal["mean", "sum", "area"]


@dataclass(frozen=True, kw_only=True)
class GemConfig:
    """The flat network: a stack of residual blocks of gauge-equivariant convolutions.

    hidden: feature type between the layers, such as "16x0+16x1+16x2" (multiplicity x order).
    blocks: how many; the last one gives what is read out.
    block: of one convolution ("simple") or two with the nonlinearity after the sum ("released").
    rings: radial hats of the filters, evenly spaced from 0 to `reach`.
    reach: largest edge length that the filters resolve, in the unit of the positions; 0 takes
        the 99.5 % quantile of the edge lengths of the training meshes. Part of the checkpoint.
    nonlinearity: "product" (bilinear, exactly equivariant), "gate" and "quad" (exact), or a
        function applied to samples on a circle, exact only as far as `samples` resolve it.
    samples: on the circle; 0 takes the least that is exact ("quad") or 24 (others).
    scaling: amplitude of the samples: "unit" does not depend on their number, "released" is
        the one of the authors' code.
    normalize: root-mean-square normalisation of every order before a nonlinearity.
    weights: of the neighbours: 1/degree ("mean"), 1 ("sum"), or shares of area ("area").
    self_mode: the vertex itself "outside" the mean, inside it as in the authors' code
        ("in_mean"), or not at all ("none").
    radial: beyond `reach` the last hat holds ("clamp"), or lines go on ("released").
    init: "balanced" scales the neighbours' weights up for what averaging takes away;
        "released" does not.
    inputs: what a vertex starts from: "matrix" (moments of the neighbourhood, which do not
        change with the position in space), "reltan", "xyz" (coordinates: rotations then change
        the result), "boundary" (1 on an open edge), "place" (where on the surface, in the axes that
        the whole surface gives: for surfaces of one family), and fields of the records with their
        kind, such as "u:0e" (scalar), "v:1o" (ambient vector), "stress:0e+2e" (symmetric tensor).
        Fields that the model's declaration names are there without being listed.
    scale_features: matrix features in units of the mean edge length of the training meshes.
    head: widths of the layers of scalars that follow; dropout: between them.
    on_antipodal, on_zero_normal: what to do where a mesh folds flat: "error", or leave the edge
        out ("drop") and fit a normal to the neighbours ("pca").
    """

    hidden: str = "16x0+16x1+16x2"
    blocks: Annotated[int, Ge(1)] = 3
    block: Literal["simple", "released"] = "simple"
    rings: Annotated[int, Interval(ge=1, le=8)] = 2
    reach: Annotated[float, Ge(0)] = 0.0
    nonlinearity: Nonlinearity = "product"
    samples: Annotated[int, Ge(0)] = 0
    scaling: Literal["unit", "released"] = "unit"
    normalize: bool = False
    weights: Weights = "mean"
    self_mode: SelfMode = "outside"
    radial: Literal["clamp", "released"] = "clamp"
    init: Literal["balanced", "released"] = "balanced"
    inputs: tuple[str, ...] = ("matrix",)
    scale_features: bool = True
    head: tuple[Annotated[int, Ge(1)], ...] = (32,)
    dropout: Annotated[float, Interval(ge=0.0, lt=1.0)] = 0.0
    on_antipodal: Literal["error", "drop"] = "drop"
    on_zero_normal: Literal["error", "pca"] = "pca"


@dataclass(frozen=True, kw_only=True)
class GemUNetConfig(GemConfig):
    """The same blocks on a hierarchy of point samples of the surface, down and up again.

    blocks: per level and direction.
    ratios: share of the vertices kept at every coarser level.
    radii: of the neighbourhoods at every coarser level, in mean edge lengths of the mesh.
    neighbors: most that a vertex of a coarser level may have; the nearest are kept.
    graph: neighbours within the radius must also be near along the surface ("surface"), or in
        space alone ("euclid").
    """

    blocks: Annotated[int, Ge(1)] = 2
    normalize: bool = True
    ratios: Annotated[tuple[Annotated[float, Gt(0), Le(1)], ...], Len(1)] = (0.25, 0.25)
    radii: Annotated[tuple[Annotated[float, Gt(0)], ...], Len(1)] = (4.0, 8.0)
    neighbors: Annotated[int, Ge(1)] = 32
    graph: Literal["surface", "euclid"] = "surface"
