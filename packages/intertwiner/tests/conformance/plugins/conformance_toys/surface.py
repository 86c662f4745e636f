"""An honest gauge-equivariant model of meshes, and the lies told with it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from conformance_toys.config import SurfaceNetConfig
from intertwiner.fields import GRAPH, VERTEX, Gauge, Irreps, Scalar
from intertwiner.schema import Schema


def unit(values: Tensor) -> Tensor:
    return values / values.norm(dim=-1, keepdim=True).clamp(min=1e-12)


class SurfaceNet(nn.Module):
    """One tangent vector per channel and vertex, summed over neighbours with transport.

    The vector at p is sum_q w(|d|) R_{q->p} t_q, t_q the mean tangent direction at q, with
    complex components in a frame chosen by the least component of the normal.
    """

    def __init__(self, config: SurfaceNetConfig, schema: Schema) -> None:
        super().__init__()
        self.schema, self.fault = schema, config.fault
        self.decay = nn.Parameter(torch.linspace(0.2, 0.6, config.channels))
        self.heads = nn.ModuleDict(
            {t.name: nn.Linear(config.channels, self.width(t), bias=False) for t in schema.targets}
        )

    @staticmethod
    def width(target) -> int:
        if isinstance(target.rep, Irreps):
            return target.rep.width // 3
        if isinstance(target.rep, Gauge):
            ((count, order),) = target.rep.blocks
            assert order == 1
            return count
        return target.rep.width

    def frames(self, batch) -> tuple[Tensor, Tensor, Tensor]:
        """Normals and the frames' two axes, [vertices, 3] each."""
        a, b, c = batch.pos[batch.face]
        areas = torch.linalg.cross(b - a, c - a)
        normal = torch.zeros_like(batch.pos)
        for corner in batch.face:
            normal = normal.index_add(0, corner, areas)
        normal = unit(normal)
        axis = torch.eye(3).to(normal)[normal.abs().argmin(1)]
        first = unit(axis - (axis * normal).sum(1, keepdim=True) * normal)
        second = torch.linalg.cross(normal, first)
        if "gauge_angle" in batch and self.fault != "frames not turned":
            cos, sin = torch.cos(batch.gauge_angle), torch.sin(batch.gauge_angle)
            first, second = (
                cos[:, None] * first + sin[:, None] * second,
                cos[:, None] * second - sin[:, None] * first,
            )
        return normal, first, second

    def tangents(self, batch) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """Complex components [vertices, channels], and the frames."""
        normal, first, second = frames = self.frames(batch)
        pairs = torch.cat([batch.face[[0, 1]], batch.face[[1, 2]], batch.face[[2, 0]]], 1)
        target, source = torch.unique(torch.cat([pairs, pairs.flip(0)], 1), dim=1)
        if self.fault == "first corner":
            source, target = batch.face[0], batch.face[1]
        arrow = batch.pos[source] - batch.pos[target]
        local = torch.complex((arrow * first[target]).sum(1), (arrow * second[target]).sum(1))
        zeros = torch.zeros(len(normal), dtype=local.dtype, device=local.device)
        mean = zeros.index_add(0, target, local)
        n, m = normal[source], normal[target]
        turned = first[source] - (m * first[source]).sum(1, keepdim=True) / (
            1 + (n * m).sum(1, keepdim=True)
        ) * (n + m)
        carried = torch.complex((turned * first[target]).sum(1), (turned * second[target]).sum(1))
        if self.fault == "transport ignored":
            carried = torch.ones_like(carried)
        weight = torch.exp(-(self.decay**2) * arrow.square().sum(1, keepdim=True))
        message = weight * (carried * mean[source])[:, None]
        return mean[:, None] + zeros[:, None].expand(-1, len(self.decay)).index_add(
            0, target, message
        ), frames

    def forward(self, batch) -> dict[str, Tensor]:
        found, frames = self.tangents(batch)
        return {t.name: self.read(t, batch, found, frames) for t in self.schema.targets}

    def read(self, target, batch, found: Tensor, frames) -> Tensor:
        weight = self.heads[target.name].weight
        if isinstance(target.rep, Scalar):
            rows = found.abs().square() @ weight.T
        else:
            mixed = found @ weight.T.to(found.dtype)
            if isinstance(target.rep, Gauge):
                return torch.view_as_real(mixed).flatten(1)
            _, first, second = frames
            rows = (
                mixed.real[:, :, None] * first[:, None] + mixed.imag[:, :, None] * second[:, None]
            ).flatten(1)
        if target.site == GRAPH:
            rows = rows.new_zeros(batch.num_graphs, rows.shape[1]).index_add(0, batch.batch, rows)
        assert target.site in (GRAPH, VERTEX)
        return rows[:, 0] if target.rep == Scalar() else rows
