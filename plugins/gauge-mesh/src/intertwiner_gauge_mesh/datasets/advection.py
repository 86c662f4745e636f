"""`bumpy-advection`: how fast a scalar changes where a flow carries it along a curved surface.

With u = sin(a.x + b) and v the tangential part of w x x + t, the target is -v.grad u, which is
-(v.a) cos(a.x + b) exactly, since v is tangential. The model sees u and v at the vertices and the
mesh; normals used to make v are those of the surface, which the model does not see.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.data import Dataset
from intertwiner_gauge_mesh.datasets.bumpy import bumpy_dataset, face_index, single
from intertwiner_gauge_mesh.datasets.config import AdvectionConfig
from intertwiner_gauge_mesh.datasets.shapes import Shape

__all__ = ["advection_record", "load", "synthetic"]


def load(config: AdvectionConfig) -> Dataset:
    """The dataset; nothing is downloaded. Records are made when they are asked for."""
    return bumpy_dataset(
        config, (config.fields, config.fields), advection_record, ("advection", "gradient")
    )


def synthetic(count: int, seed: int) -> Dataset:
    """About `count` records on small meshes of both kinds of shape."""
    shapes = max(1, count // 8)
    config = AdvectionConfig(
        shape="both", vertices=162, training_shapes=2 * shapes, other_shapes=shapes, fields=2,
        triangulation="both", seed=seed,
    )  # fmt: skip
    return load(config)


def advection_record(shape: Shape, seed: int, name: str) -> Data:
    """One scalar and one velocity on a shape, with target and tangential gradient."""
    wave, phase, spin, drift = _draw(torch.Generator().manual_seed(seed))
    points, normals = shape.points, shape.normals
    u = torch.sin(points @ wave + phase)
    slope = torch.cos(points @ wave + phase)[:, None] * _tangential(wave.expand_as(points), normals)
    v = _tangential(torch.linalg.cross(spin.expand_as(points), points) + drift, normals)
    return Data(
        pos=single(points),
        face=face_index(shape.faces),
        u=single(u),
        v=single(v),
        advection=single(-(v * slope).sum(1)),
        gradient=single(slope),
        name=name,
        num_nodes=len(points),
    )


def _draw(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """a ~ 1.5 N(0, 1), b uniform on the circle, w and t ~ N(0, 1)."""
    wave, spin, drift = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    phase = 2 * math.pi * torch.rand((), generator=generator, dtype=torch.float64)
    return 1.5 * wave, phase, spin, drift


def _tangential(
    vectors: Float[Tensor, "n 3"], normals: Float[Tensor, "n 3"]
) -> Float[Tensor, "n 3"]:
    return vectors - (vectors * normals).sum(1, keepdim=True) * normals
