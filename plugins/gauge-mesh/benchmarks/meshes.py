"""Meshes that the benchmarks run on: bumpy spheres of 642 to 40,962 vertices, and RNA surfaces.

RNA surfaces are read from the file that `INTERTWINER_RNA_SURFACES` names, where it is there.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from intertwiner_gauge_mesh.errors import MeshWarning
from intertwiner_gauge_mesh.plan import MeshPlan

__all__ = ["bumpy_sphere", "make_plan", "meshes"]

ROOT = Path(__file__).resolve().parents[3]
RNA = ROOT.parent / "shared" / "data" / "rna" / "rna_surface_120.npz"
RNA_NAME = "4V4Q_DA"


def meshes(levels: tuple[int, ...] = (4, 5, 6)) -> Iterator[tuple[str, Tensor, Tensor]]:
    """(name, pos [V, 3], face [3, F]); the RNA surface last, where its file is there."""
    for level in levels:
        pos, face = bumpy_sphere(level)
        yield f"{len(pos) / 1000:.1f}k vertices", pos, face
    path = Path(os.environ.get("INTERTWINER_RNA_SURFACES", RNA))
    if path.exists():
        with np.load(path, allow_pickle=False) as arrays:
            pos = torch.from_numpy(arrays[f"{RNA_NAME}/vertices"].astype(np.float32) * 0.005)
            face = torch.from_numpy(arrays[f"{RNA_NAME}/faces"].astype(np.int64)).T
        yield "an RNA surface", pos, face.contiguous()


def make_plan(pos: Tensor, face: Tensor) -> MeshPlan:
    """The plan, with the folds of real meshes dropped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MeshWarning)
        return MeshPlan.from_mesh(pos, face, on_antipodal="drop", on_zero_normal="pca")


def bumpy_sphere(level: int) -> tuple[Tensor, Tensor]:
    """10 * 4^level + 2 vertices of an icosphere with another radius in every direction."""
    generator = torch.Generator().manual_seed(0)
    pos, face = _icosahedron()
    for _ in range(level):
        pos, face = _refined(pos, face)
    wave = 2 * torch.randn(3, 3, generator=generator, dtype=torch.float64)
    radius = 1 + 0.12 * (pos @ wave).sin().sum(1, keepdim=True)
    return (radius * pos).float(), face


def _icosahedron() -> tuple[Tensor, Tensor]:
    golden = (1 + 5**0.5) / 2
    corners = []
    for a in (-1.0, 1.0):
        for b in (-golden, golden):
            corners += [(0, a, b), (a, b, 0), (b, 0, a)]
    pos = torch.nn.functional.normalize(torch.tensor(corners, dtype=torch.float64), dim=1)
    near = torch.cdist(pos, pos) < 1.2
    triples = torch.combinations(torch.arange(12), 3)
    joined = near[triples[:, 0], triples[:, 1]] & near[triples[:, 1], triples[:, 2]]
    face = triples[joined & near[triples[:, 0], triples[:, 2]]].T
    a, b, c = pos[face]
    inward = (torch.linalg.cross(b - a, c - a) * (a + b + c)).sum(1) < 0
    return pos, torch.where(inward, face.flip(0), face)


def _refined(pos: Tensor, face: Tensor) -> tuple[Tensor, Tensor]:
    ends = torch.stack([face, face.roll(-1, 0)], -1).sort(-1).values.reshape(-1, 2)
    edges, number = torch.unique(ends, dim=0, return_inverse=True)
    middle = torch.nn.functional.normalize(pos[edges].sum(1), dim=1)
    a, b, c = face
    ab, bc, ca = number.view(3, -1) + len(pos)
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return torch.cat([pos, middle]), torch.cat([torch.stack(part) for part in parts], 1)
