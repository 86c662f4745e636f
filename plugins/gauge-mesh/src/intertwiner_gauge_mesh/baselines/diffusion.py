"""Blocks of learned diffusion and gradient features, after Sharp, Attaiki, Crane and Ovsjanikov,
"DiffusionNet: Discretization Agnostic Learning on Surfaces", arXiv 2012.00888.

h_c diffuses for a learned time t_c: Phi exp(-lambda t_c) Phi^T M h_c. With z the tangential
gradients of the diffused channels as complex numbers in the vertex's frame, joined by the
tangential parts of given vector fields, the features
tanh(Re(conj(z_c) (A z)_c)), A complex, do not depend on the frame. An MLP of
[h, diffused, features] is added to h.

Where no scalar field is given the input is the heat kernel signature, which no motion changes.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.fields import Field, Irreps
from intertwiner.schema import Schema
from intertwiner_gauge_mesh.baselines.config import DiffusionConfig
from intertwiner_gauge_mesh.baselines.laplacian import Spectrum, spectrum, vertex_gradients
from intertwiner_gauge_mesh.baselines.network import BaselineNetwork, Fields, keep_size, width_of
from intertwiner_gauge_mesh.layers.ambient import (
    tensors_from_frame,
    to_irreps,
    vectors_from_frame,
)
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.planner import split_faces

__all__ = ["DiffusionNetwork", "build_diffusion"]


class DiffusionNetwork(BaselineNetwork):
    """See above. Eigenpairs are computed once per mesh and kept with its plan."""

    def __init__(self, config: DiffusionConfig, schema: Schema) -> None:
        super().__init__(config, schema)
        self.config = config
        start = config.signatures + self.scalar_width + len(self.vectors)
        self.embed = nn.Linear(start, config.channels)
        self.blocks = nn.ModuleList(
            _Block(config.channels, len(self.vectors)) for _ in range(config.blocks)
        )
        self.heads = nn.ModuleDict(
            {field.name: _Head(field, config.channels) for field in schema.targets}
        )
        keep_size(self)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """As of the base class; makes the spectra of meshes not seen before."""
        bounds = batch.ptr.tolist()
        plans = self.planner.plans(batch)
        faces = split_faces(batch.face, bounds)
        self._spectra = [
            self._spectrum(plan, face) for plan, face in zip(plans, faces, strict=True)
        ]
        return super().forward(batch)

    def _spectrum(self, plan: MeshPlan, face: Tensor) -> Spectrum:
        key = ("spectrum", self.config.eigenpairs)
        if key not in plan.cache:
            rows = face if plan.weld is None else plan.weld[face]
            points = plan.pos.detach().double().cpu().numpy()
            plan.cache[key] = spectrum(points, rows.T.cpu().numpy(), self.config.eigenpairs)
        found: Spectrum = plan.cache[key]
        return Spectrum(*(item.to(plan.pos) for item in found))

    def values(self, plan: MeshPlan, fields: Fields) -> dict[str, Tensor]:
        """Read-outs of the last block."""
        heat = torch.cat([_signatures(item, self.config.signatures) for item in self._spectra])
        h = self.embed(torch.cat([heat, fields.scalars, fields.vectors.norm(dim=2)], 1))
        gradient = vertex_gradients(plan)
        parts = (plan.frame[:, None, :2] @ fields.vectors[..., None]).squeeze(-1)
        flow = torch.complex(parts[..., 0], parts[..., 1])
        unit = float(self.unit)
        for block in self.blocks:
            h = block(h, plan, self._spectra, gradient, flow, unit)
        z = _gradients(plan, h, gradient) * unit
        return {name: head(h, z, plan.frame) for name, head in self.heads.items()}


class _Block(nn.Module):
    def __init__(self, channels: int, flows: int) -> None:
        super().__init__()
        # Times from half an edge squared up to about the square of forty edges.
        self.log_time = nn.Parameter(torch.linspace(-1.0, 7.0, channels))
        mixed = channels + flows
        self.real = nn.Parameter(torch.randn(mixed, mixed) / mixed**0.5)
        self.imaginary = nn.Parameter(torch.randn(mixed, mixed) / mixed**0.5)
        self.mlp = nn.Sequential(
            nn.Linear(2 * channels + mixed, channels), nn.SiLU(), nn.Linear(channels, channels)
        )

    def forward(
        self,
        h: Float[Tensor, "vertices channels"],
        plan: MeshPlan,
        spectra: list[Spectrum],
        gradient: tuple[Tensor, Tensor],
        flow: Tensor,
        unit: float,
    ) -> Float[Tensor, "vertices channels"]:
        time = self.log_time.exp() * unit**2
        parts = [
            _diffused(h[start:stop], item, time)
            for start, stop, item in zip(plan.ptr, plan.ptr[1:], spectra, strict=False)
        ]
        diffused = torch.cat(parts)
        z = torch.cat([_gradients(plan, diffused, gradient) * unit, flow], 1)
        mixed_real = z.real @ self.real - z.imag @ self.imaginary
        mixed_imaginary = z.real @ self.imaginary + z.imag @ self.real
        features = torch.tanh(z.real * mixed_real + z.imag * mixed_imaginary)
        found: Tensor = h + self.mlp(torch.cat([h, diffused, features], 1))
        return found


class _Head(nn.Module):
    """Scalars by an MLP; vectors from gradients, tensors from products of them."""

    def __init__(self, field: Field, channels: int) -> None:
        super().__init__()
        self.field = field
        if not isinstance(field.rep, Irreps):
            self.dense = _dense(channels, width_of(field))
            return
        self.dense = _dense(channels, sum(_gates(o, channels) * c for c, o, _ in field.rep.blocks))

    def forward(self, h: Tensor, z: Tensor, frame: Tensor) -> Float[Tensor, "vertices width"]:
        values: Tensor = self.dense(h)
        if not isinstance(self.field.rep, Irreps):
            return values
        parts, start = [], 0
        for channels, order, _ in self.field.rep.blocks:
            width = _gates(order, z.shape[1])
            taken = values[:, start : start + channels * width].reshape(-1, channels, width)
            start += channels * width
            parts.append(_assembled(order, taken, z, frame).flatten(1))
        return torch.cat(parts, 1)


def _gates(order: int, channels: int) -> int:
    """Numbers that make one component of an order: its scalar, and weights of the fields."""
    return 1 if order == 0 else 1 + order * channels


def _assembled(order: int, values: Tensor, z: Tensor, frame: Tensor) -> Tensor:
    scalar = values[..., 0]
    if order == 0:
        return scalar[..., None]
    channels = z.shape[1]
    first = torch.einsum("vkc,vc->vk", values[..., 1 : 1 + channels].to(z.dtype), z)
    tangent = torch.stack([first.real, first.imag], 1)
    if order == 1:
        return vectors_from_frame(scalar, tangent, frame)
    second = torch.einsum("vkc,vc->vk", values[..., 1 + channels :].to(z.dtype), z * z)
    bent = torch.stack([second.real, second.imag], 1)
    pair = torch.cat([scalar, -2 * scalar], 1)
    return to_irreps(tensors_from_frame(pair, tangent, bent, frame))[..., 1:]


def _dense(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(channels, channels), nn.SiLU(), nn.Linear(channels, out))


def _diffused(h: Tensor, item: Spectrum, time: Tensor) -> Float[Tensor, "vertices channels"]:
    coefficients = item.vectors.T @ (item.mass[:, None] * h)
    damped = coefficients * torch.exp(-item.values[:, None] * time)
    return item.vectors @ damped


def _gradients(
    plan: MeshPlan, h: Float[Tensor, "vertices channels"], weights: tuple[Tensor, Tensor]
) -> Tensor:
    """Least-squares gradients [v, channels] as complex numbers in the frames."""
    step = h[plan.source] - h[plan.target]
    parts = [torch.zeros_like(h).index_add(0, plan.target, w[:, None] * step) for w in weights]
    return torch.complex(*parts)


def _signatures(item: Spectrum, count: int) -> Float[Tensor, "vertices count"]:
    """Heat kernel signatures at times spaced evenly in the logarithm, each of mean 1, as logs."""
    known = item.values[item.values > 1e-6 * item.values.max()]
    low, high = known.min(), known.max()
    span = (4 * math.log(10) / high).log(), (4 * math.log(10) / low).log()
    steps = torch.linspace(0, 1, count, dtype=item.values.dtype, device=item.values.device)
    times = (span[0] + steps * (span[1] - span[0])).exp()
    heat = item.vectors.square() @ torch.exp(-item.values[:, None] * times)
    return (heat / heat.mean(0)).clamp(min=1e-6).log()


def build_diffusion(config: DiffusionConfig, schema: Schema) -> DiffusionNetwork:
    """The network for the targets of `schema`."""
    return DiffusionNetwork(config, schema)
