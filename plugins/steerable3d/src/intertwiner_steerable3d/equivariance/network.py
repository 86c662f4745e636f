"""The equivariance error of a random network of three layers, over draws and over angles."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_steerable3d.bases.settings import BasisSettings
from intertwiner_steerable3d.equivariance.fields import RandomFields, random_rotations
from intertwiner_steerable3d.layers.block import BlockSettings, GatedBlock

__all__ = ["angle_curve", "network_error", "random_network"]

FIELDS = 32


def random_network(basis: BasisSettings, size: int, generator: torch.Generator) -> nn.Sequential:
    """Scalars to (2,2,2,2) twice to 16 scalars: gated, without padding or normalisation."""
    settings = BlockSettings(basis=basis, momentum=None)
    types = [(1,), (2, 2, 2, 2), (2, 2, 2, 2), (16,)]
    blocks = [
        GatedBlock(types[k], types[k + 1], size, padding=0, settings=settings, generator=generator)
        for k in range(3)
    ]
    return nn.Sequential(*blocks).double().requires_grad_(False).eval()


def network_error(
    basis: BasisSettings, size: int, *, blur: float = 1.0, seeds: int = 6, fields: int = FIELDS
) -> float:
    """How much the scalars at the centre differ between two turns of a field, median over seeds.

    Root mean square over random fields, each at two random rotations, relative to the standard
    deviation between fields. Fields are blurred by `blur` voxels.
    """
    return statistics.median(_one_error(basis, size, blur, seed, fields) for seed in range(seeds))


def _one_error(basis: BasisSettings, size: int, blur: float, seed: int, fields: int) -> float:
    generator = torch.Generator().manual_seed(seed)
    network = random_network(basis, size, generator)
    drawn = RandomFields(fields, 3 * size - 2, blur, generator)
    one, other = (
        _centre(network, drawn.on_grid(random_rotations(fields, generator))) for _ in range(2)
    )
    return _relative(one, other)


def _relative(still: Float[Tensor, "fields 16"], turned: Float[Tensor, "fields 16"]) -> float:
    spread = (still - still.mean(0)).square().mean()
    return float(((turned - still).square().mean() / spread).sqrt())


def _centre(network: nn.Module, volumes: Tensor) -> Float[Tensor, "fields 16"]:
    return torch.cat([network(part).flatten(1) for part in volumes.split(8)])


def angle_curve(
    basis: BasisSettings,
    size: int,
    degrees: Sequence[float],
    *,
    axis: tuple[float, float, float] = (0.0, 0.0, 1.0),
    seed: int = 0,
    fields: int = FIELDS,
) -> list[float]:
    """The error of a random network at every angle of a turn about `axis`."""
    generator = torch.Generator().manual_seed(seed)
    network = random_network(basis, size, generator)
    drawn = RandomFields(fields, 3 * size - 2, 1.0, generator)
    still = _centre(network, drawn.on_grid(torch.eye(3, dtype=torch.float64)[None]))
    found = []
    for angle in degrees:
        turned = drawn.on_grid(_about(axis, math.radians(angle))[None])
        found.append(_relative(still, _centre(network, turned)))
    return found


def _about(axis: tuple[float, float, float], angle: float) -> Float[Tensor, "3 3"]:
    """The rotation about an axis by an angle in radian."""
    x, y, z = torch.nn.functional.normalize(torch.tensor(axis, dtype=torch.float64), dim=0)
    zero = torch.zeros((), dtype=torch.float64)
    rows = [torch.stack(r) for r in ((zero, -z, y), (z, zero, -x), (-y, x, zero))]
    return torch.linalg.matrix_exp(angle * torch.stack(rows))
