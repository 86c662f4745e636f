"""Tangents of summed messages in a middle layer: the one costly product of the exact divergence.

For directions k, with A = Ws dh, B = Wt dh at the nodes, slopes s'(z1), gs = g s'(z2),
was = wa s'(z2), ag = a2 g (1 - g) of every pair,

    dz_ij = (A_i + B_j + dr2_ij wr + de_ij we) s'(z1_ij),   dz2_ij = W2 dz_ij
    out_i = sum_j gs_ij dz2_ij + ag_ij (was_ij . dz2_ij).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import linear

__all__ = ["CHUNK_ELEMENTS", "MiddleTerms", "mid_tangent", "mid_tangent_reference"]

CHUNK_ELEMENTS = 260_000
"""Numbers of a chunk's largest array, so that it stays in the second-level cache."""


class MiddleTerms(NamedTuple):
    """The arguments of the operation, in order. Without attention ag and was are None."""

    source: Float[Tensor, "directions batch n features"]
    target: Float[Tensor, "directions batch n features"]
    dr2: Float[Tensor, "directions batch n n"]
    de: Float[Tensor, "directions batch n n"]
    slope1: Float[Tensor, "batch n n features"]
    gs: Float[Tensor, "batch n n features"]
    ag: Float[Tensor, "batch n n features"] | None
    was: Float[Tensor, "batch n n features"] | None
    second: Float[Tensor, "features features"]
    distance: Float[Tensor, " features"]
    initial: Float[Tensor, " features"] | None


def mid_tangent(*terms: Any) -> Float[Tensor, "directions batch n features"]:
    """out_i for all directions of `MiddleTerms`, some directions at a time."""
    given = MiddleTerms(*terms)
    step = max(1, CHUNK_ELEMENTS // max(1, given.slope1.numel()))
    parts = (slice(k, k + step) for k in range(0, len(given.source), step))
    return torch.cat([_some(given, part) for part in parts])


def _some(given: MiddleTerms, part: slice) -> Float[Tensor, "some batch n features"]:
    dz = given.source[part].unsqueeze(-2) + given.target[part].unsqueeze(-3)
    dz = torch.addcmul(dz, given.dr2[part].unsqueeze(-1), given.distance)
    if given.initial is not None:
        dz = torch.addcmul(dz, given.de[part].unsqueeze(-1), given.initial)
    dz2 = linear(dz * given.slope1, given.second)
    out = dz2 * given.gs
    if given.ag is not None and given.was is not None:
        out = torch.addcmul(out, given.ag, (dz2 * given.was).sum(dim=-1, keepdim=True))
    return out.sum(dim=-2)


def mid_tangent_reference(*terms: Any) -> Float[Tensor, "directions batch n features"]:
    """As `mid_tangent`, written as in the equations."""
    given = MiddleTerms(*terms)
    dz = given.source[..., :, None, :] + given.target[..., None, :, :]
    dz = dz + given.dr2[..., None] * given.distance
    if given.initial is not None:
        dz = dz + given.de[..., None] * given.initial
    dz2 = torch.einsum("kbijf,of->kbijo", dz * given.slope1, given.second)
    out = torch.einsum("bijo,kbijo->kbio", given.gs, dz2)
    if given.ag is not None and given.was is not None:
        scale = torch.einsum("bijo,kbijo->kbij", given.was, dz2)
        out = out + torch.einsum("bijo,kbij->kbio", given.ag, scale)
    return out
