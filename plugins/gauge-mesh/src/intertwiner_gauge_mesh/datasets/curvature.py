"""`bumpy-curvature`: the directions in which a surface bends, from a mesh with noise.

The target at a vertex is the trace-free part of the surface's shape tensor in the tangent plane of
the *mesh* vertex: with frame (X, Y) and B in that plane, z = (B_XX - B_YY)/2 + i B_XY has modulus
|kappa_1 - kappa_2|/2 and twice the angle of the larger curvature as its argument. It is stored in
space, as a symmetric tensor of trace 0, so that it depends on no choice of frame.
Unlike an angle it is smooth at umbilics, where it is 0. Noise moves vertices, not targets.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.data import Dataset
from intertwiner_gauge_mesh.datasets.bumpy import bumpy_dataset, face_index, single
from intertwiner_gauge_mesh.datasets.config import CurvatureConfig
from intertwiner_gauge_mesh.datasets.shapes import Shape
from intertwiner_gauge_mesh.geometry.faces import measure_triangles
from intertwiner_gauge_mesh.geometry.normals import vertex_normals
from intertwiner_gauge_mesh.layers.ambient import to_irreps

__all__ = ["curvature_record", "load", "synthetic", "tangential_deviator"]


def load(config: CurvatureConfig) -> Dataset:
    """The dataset; nothing is downloaded. Records are made when they are asked for."""

    def make(shape: Shape, seed: int, name: str) -> Data:
        return curvature_record(shape, seed, name, config.noise)

    targets = ("principal", "shape_tensor", "mean_curvature")
    return bumpy_dataset(config, (config.copies, 1), make, targets)


def synthetic(count: int, seed: int) -> Dataset:
    """About `count` records on small meshes of both kinds of shape."""
    shapes = max(2, count // 4)
    config = CurvatureConfig(
        shape="both", vertices=162, training_shapes=2 * shapes, other_shapes=shapes,
        triangulation="both", seed=seed,
    )  # fmt: skip
    return load(config)


def curvature_record(shape: Shape, seed: int, name: str, noise: float) -> Data:
    """One mesh whose vertices are moved by `noise` mean edge lengths, and the surface's curvature.

    `principal` [n, 5] is the target above, `shape_tensor` [n, 6] the whole tensor in space and
    `mean_curvature` [n] half its trace.
    """
    generator = torch.Generator().manual_seed(seed)
    moved = noise * shape.mean_edge * torch.randn(shape.points.shape, generator=generator).double()
    points = shape.points + moved
    tensors = shape.shape_tensors
    normals = _mesh_normals(points, face_index(shape.faces))
    return Data(
        pos=single(points),
        face=face_index(shape.faces),
        principal=single(to_irreps(tangential_deviator(tensors, normals))[:, 1:]),
        shape_tensor=single(to_irreps(tensors)),
        mean_curvature=single(_half_trace(tensors)),
        name=name,
        num_nodes=len(points),
    )


def tangential_deviator(
    tensors: Float[Tensor, "n 3 3"], normals: Float[Tensor, "n 3"]
) -> Float[Tensor, "n 3 3"]:
    """The part of P B P without trace in the plane, P = I - n n^T."""
    identity = torch.eye(3, dtype=tensors.dtype, device=tensors.device)
    plane = identity - normals[:, :, None] * normals[:, None, :]
    flat = plane @ tensors @ plane
    trace = flat.diagonal(dim1=1, dim2=2).sum(1)
    return flat - 0.5 * trace[:, None, None] * plane


def _mesh_normals(points: Float[Tensor, "n 3"], face: Int[Tensor, "3 f"]) -> Float[Tensor, "n 3"]:
    return vertex_normals(face, measure_triangles(points, face), len(points))[0]


def _half_trace(tensors: Float[Tensor, "n 3 3"]) -> Float[Tensor, " n"]:
    return tensors.diagonal(dim1=1, dim2=2).sum(1) / 2
