"""From one number an atom and target to the properties of molecules, in the paper's way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner.fields import GRAPH, Field, Irreps, Scalar
from intertwiner_equivariant_conv.calibration import Labels
from intertwiner_equivariant_conv.errors import InvalidSetting
from intertwiner_equivariant_conv.layers.atoms import Atoms
from intertwiner_equivariant_conv.paper.config import PaperConfig

__all__ = ["Property", "build_properties", "dense_head"]


class Property(nn.Module):
    """sum_i (sigma y_i + mean) + sum_i reference[Z_i], summed in double precision.

    mean, sigma: of (target - references)/atoms over the training molecules. Every target is a
    sum, as published, intensive ones and lengths of dipoles too.
    """

    mean: Tensor
    sigma: Tensor
    reference: Tensor
    spread: Tensor

    def __init__(self, elements: int, *, fit: bool) -> None:
        super().__init__()
        self.fit = fit
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("sigma", torch.ones(()))
        self.register_buffer("reference", torch.zeros(elements))
        self.register_buffer("spread", torch.ones(()))

    def forward(self, values: Float[Tensor, " atoms"], atoms: Atoms) -> Float[Tensor, " graphs"]:
        offset = self.mean.double() + self.reference[atoms.element].double()
        return atoms.sum(values.double() * self.sigma.double() + offset).to(values.dtype)

    @torch.no_grad()
    def calibrate(self, labels: Labels) -> None:
        """Sets mean, sigma, references, and the spread of what they leave."""
        known = labels.known
        composition, values = labels.composition[known], labels.values[known, 0]
        if self.fit:
            self.reference.copy_(labels.fit_composition("sum").coefficients)
        count = composition.sum(1).clamp(min=1.0)
        per_atom = (values - composition @ self.reference.double().cpu()) / count
        mean, sigma = per_atom.mean(), per_atom.std(correction=0)
        rest = (per_atom - mean) * count
        self.mean.copy_(mean)
        spread = rest.square().mean().sqrt()
        # A target that the references and the mean explain leaves rounding, and no unit.
        rounding = 1e-8 * (values / count).abs().max().clamp(min=1.0)
        self.sigma.copy_(sigma if sigma > rounding else torch.ones(()))
        self.spread.copy_(spread if spread > rounding * count.max() else torch.ones(()))


def build_properties(config: PaperConfig, targets: Sequence[Field], elements: int) -> nn.ModuleDict:
    """One for each target. Raises `InvalidSetting` for one that is no scalar of the molecule."""
    for field in targets:
        if field.site != GRAPH or not _is_scalar(field):
            raise InvalidSetting(f"target {field}: the paper's network gives scalars of molecules")
    wanted: Mapping[str, bool] = {
        field.name: config.atom_references == "fit"
        or (config.atom_references == "auto" and field.name in config.extensive)
        for field in targets
    }
    return nn.ModuleDict({name: Property(elements, fit=fit) for name, fit in wanted.items()})


def _is_scalar(field: Field) -> bool:
    if isinstance(field.rep, Irreps):
        return [tuple(block) for block in field.rep.blocks] == [(1, 0, 1)]
    return isinstance(field.rep, Scalar) and field.rep.channels == 1


class _NormalLinear(nn.Module):
    """x W/sqrt(n) + b with W from N(0, 1) and b from 0."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Float[Tensor, "*atoms inputs"]) -> Float[Tensor, "*atoms outputs"]:
        return x @ self.weight / self.weight.shape[0] ** 0.5 + self.bias


def dense_head(inputs: int, hidden: Sequence[int], targets: int) -> nn.Sequential:
    """Dense layers with ReLU between; the last has its own weights for every target."""
    widths = [inputs, *hidden]
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [_NormalLinear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers, _NormalLinear(widths[-1], targets))
