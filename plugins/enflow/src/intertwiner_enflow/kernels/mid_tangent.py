"""Tangents of summed messages in a middle layer: the one costly product of the exact divergence.

For directions k, with A = Ws dh, B = Wt dh at the nodes, slopes s'(z1), gs = g s'(z2),
was = wa s'(z2), ag = a2 g (1 - g) of every pair,

    dz_ij = (A_i + B_j + dr2_ij wr + de_ij we) s'(z1_ij),   dz2_ij = W2 dz_ij
    out_i = sum_j gs_ij dz2_ij + ag_ij (was_ij . dz2_ij).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import linear

__all__ = ["CHUNK_ELEMENTS", "mid_tangent", "mid_tangent_reference"]

CHUNK_ELEMENTS = 260_000
"""Numbers of a chunk's largest array, so that it stays in the second-level cache."""


def mid_tangent(
    source: Float[Tensor, "directions batch n features"],
    target: Float[Tensor, "directions batch n features"],
    dr2: Float[Tensor, "directions batch n n"],
    de: Float[Tensor, "directions batch n n"],
    slope1: Float[Tensor, "batch n n features"],
    gs: Float[Tensor, "batch n n features"],
    ag: Float[Tensor, "batch n n features"] | None,
    was: Float[Tensor, "batch n n features"] | None,
    second: Float[Tensor, "features features"],
    distance: Float[Tensor, " features"],
    initial: Float[Tensor, " features"] | None,
) -> Float[Tensor, "directions batch n features"]:
    """out_i for all directions, some directions at a time. Without attention ag, was are None."""
    step = max(1, CHUNK_ELEMENTS // max(1, slope1.numel()))
    chunks = []
    for k in range(0, len(source), step):
        part = slice(k, k + step)
        dz = source[part].unsqueeze(-2) + target[part].unsqueeze(-3)
        dz = torch.addcmul(dz, dr2[part].unsqueeze(-1), distance)
        if initial is not None:
            dz = torch.addcmul(dz, de[part].unsqueeze(-1), initial)
        dz2 = linear(dz * slope1, second)
        out = dz2 * gs
        if ag is not None and was is not None:
            out = torch.addcmul(out, ag, (dz2 * was).sum(dim=-1, keepdim=True))
        chunks.append(out.sum(dim=-2))
    return torch.cat(chunks)


def mid_tangent_reference(
    source: Float[Tensor, "directions batch n features"],
    target: Float[Tensor, "directions batch n features"],
    dr2: Float[Tensor, "directions batch n n"],
    de: Float[Tensor, "directions batch n n"],
    slope1: Float[Tensor, "batch n n features"],
    gs: Float[Tensor, "batch n n features"],
    ag: Float[Tensor, "batch n n features"] | None,
    was: Float[Tensor, "batch n n features"] | None,
    second: Float[Tensor, "features features"],
    distance: Float[Tensor, " features"],
    initial: Float[Tensor, " features"] | None,
) -> Float[Tensor, "directions batch n features"]:
    """As `mid_tangent`, written as in the equations."""
    dz = source[..., :, None, :] + target[..., None, :, :] + dr2[..., None] * distance
    if initial is not None:
        dz = dz + de[..., None] * initial
    dz2 = torch.einsum("kbijf,of->kbijo", dz * slope1, second)
    out = torch.einsum("bijo,kbijo->kbio", gs, dz2)
    if ag is not None and was is not None:
        scale = torch.einsum("bijo,kbijo->kbij", was, dz2)
        out = out + torch.einsum("bijo,kbij->kbio", ag, scale)
    return out
