"""The pooled model: two kernel ridges and several perceptrons on logarithms of pair counts.

The members' mean is the prediction, their spread its uncertainty. The logarithm is the decisive
part: it makes thirty more contacts of the same kind count less than the first three.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.fields import GRAPH
from intertwiner.schema import Schema
from intertwiner_atomic_conv.config import PooledConfig
from intertwiner_atomic_conv.errors import InvalidInput, InvalidSetting
from intertwiner_atomic_conv.pooled.counts import (
    RF_SCORE_FEATURES,
    SHELL_FEATURES,
    Counts,
    count_pairs,
)
from intertwiner_atomic_conv.pooled.kernel_ridge import RidgeFit, Standard, fit_ridge
from intertwiner_atomic_conv.pooled.perceptrons import Perceptrons, train_perceptrons

__all__ = ["Features", "PooledNetwork", "build_pooled", "features_of"]

KERNEL_LIMIT, PERCEPTRON_LIMIT = 4.0, 3.0
KERNELS = (("shells", SHELL_FEATURES), ("rf_score", RF_SCORE_FEATURES))


@dataclass(frozen=True, slots=True)
class Features:
    """Logarithms of the counts of some complexes: shells [n, 105], rf_score [n, 36], and of the
    ligand's heavy atoms, size [n]."""

    shells: Float[Tensor, "complexes 105"]
    rf_score: Float[Tensor, "complexes 36"]
    size: Float[Tensor, " complexes"]

    def __getitem__(self, rows: Tensor) -> Features:
        return Features(self.shells[rows], self.rf_score[rows], self.size[rows])

    def apart(self) -> Features:
        """The same ligands with no pair in reach."""
        return Features(torch.zeros_like(self.shells), torch.zeros_like(self.rf_score), self.size)

    def to(self, dtype: torch.dtype) -> Features:
        return Features(self.shells.to(dtype), self.rf_score.to(dtype), self.size.to(dtype))


def features_of(counts: Counts) -> Features:
    """Logarithms of 1 + counts; of at least one heavy atom."""
    size = counts.heavy_atoms.clamp(min=1.0).log()
    return Features(counts.shells.log1p(), counts.rf_score.log1p(), size)


class KernelMember(nn.Module):
    """A kernel ridge whose records are kept in buffers of fixed size, unused rows at weight 0."""

    mean: Tensor
    inverse: Tensor
    support: Tensor
    coefficients: Tensor
    intercept: Tensor
    rate: Tensor

    def __init__(self, features: int, capacity: int, outputs: int) -> None:
        super().__init__()
        for name, shape in (
            ("mean", (features,)),
            ("inverse", (features,)),
            ("support", (capacity, features)),
            ("coefficients", (capacity, outputs)),
            ("intercept", (outputs,)),
            ("rate", (1,)),
        ):
            self.register_buffer(name, torch.zeros(shape))

    def standardise(self, x: Tensor) -> Tensor:
        return Standard(self.mean, self.inverse)(x, KERNEL_LIMIT)

    @torch.no_grad()
    def set(self, x: Tensor, standard: Standard, fit: RidgeFit) -> None:
        """Keeps a fit on the standardised records x."""
        if len(x) > len(self.support):
            raise InvalidSetting(
                f"{len(x)} training records, the model keeps {len(self.support)}: "
                f"set --model.capacity {len(x)}"
            )
        self.mean.copy_(standard.mean)
        self.inverse.copy_(standard.inverse)
        self.intercept.copy_(fit.mean)
        varying = max(1, int((standard.inverse > 0).sum()))
        self.rate.fill_(fit.width / varying)
        for buffer, values in ((self.support, x), (self.coefficients, fit.coefficients)):
            buffer.zero_()
            buffer[: len(values)] = values.to(buffer)

    def kernel(self, x: Tensor) -> Float[Tensor, "complexes capacity"]:
        """Likeness to the kept records, 1 for the same."""
        x = self.standardise(x)
        square = x.square().sum(1, keepdim=True) + self.support.square().sum(1)
        return torch.exp(-self.rate * (square - 2 * x @ self.support.t()).clamp(min=0.0))

    def forward(self, x: Tensor) -> Float[Tensor, "complexes outputs"]:
        return self.intercept + self.kernel(x) @ self.coefficients


class PooledNetwork(nn.Module):
    """Complexes -> every target of `schema`, from pair counts alone.

    `prepare` fits the kernel members in closed form; perceptrons are trained by `training_loss`,
    or all at once by `fit`. Groups of similar proteins, where records carry `group`, are kept
    together when settings are chosen.
    """

    label_mean: Tensor
    label_spread: Tensor
    size_mean: Tensor
    size_inverse: Tensor

    def __init__(self, config: PooledConfig, schema: Schema) -> None:
        super().__init__()
        self.config, self.schema = config, schema
        self.widths = [field.rep.width for field in schema.targets]
        outputs = sum(self.widths)
        self.kernels = nn.ModuleDict(
            {name: KernelMember(width, config.capacity, outputs) for name, width in KERNELS}
        )
        self.perceptrons = Perceptrons(
            config.perceptrons, SHELL_FEATURES + 1, config.hidden, outputs, config.input_dropout
        )
        self.register_buffer("label_mean", torch.zeros(outputs))
        self.register_buffer("label_spread", torch.ones(outputs))
        self.register_buffer("size_mean", torch.zeros(1))
        self.register_buffer("size_inverse", torch.ones(1))
        self.nearest_floor = 0.0

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """`batch.pos` in angstrom, `batch.z`, `batch.part` (1 for the ligand), `batch.ptr`."""
        columns = self.members(self.features(batch)).mean(0).split(self.widths, 1)
        return {
            field.name: column.squeeze(1) if column.shape[1] == 1 else column
            for field, column in zip(self.schema.targets, columns, strict=True)
        }

    def features(self, batch: Batch) -> Features:
        """Logarithms of the batch's counts. Raises `InvalidInput` for positions not finite."""
        if not bool(torch.isfinite(batch.pos).all()):
            atom = int(torch.isfinite(batch.pos).all(1).long().argmin())
            raise InvalidInput(f"atom {atom}: position {batch.pos[atom].tolist()} is not finite")
        return features_of(count_pairs(batch.pos, batch.z, batch.part, batch.ptr))

    def members(self, features: Features) -> Float[Tensor, "members complexes outputs"]:
        """The prediction of every member: two kernel ridges, then the perceptrons."""
        kernels = [self.kernels[name](getattr(features, name)) for name, _ in KERNELS]
        perceptrons = self.perceptrons(self._inputs(features))
        return torch.cat([torch.stack(kernels), perceptrons * self.label_spread + self.label_mean])

    def interaction(self, features: Features) -> Float[Tensor, "complexes outputs"]:
        """What the protein adds to the same ligand alone; 0 where no pair is in reach."""
        return (self.members(features) - self.members(features.apart())).mean(0)

    def _inputs(self, features: Features) -> Float[Tensor, "complexes 106"]:
        shells = self.kernel("shells")
        x = ((features.shells - shells.mean) * shells.inverse).clamp(
            -PERCEPTRON_LIMIT, PERCEPTRON_LIMIT
        )
        size = (features.size.unsqueeze(1) - self.size_mean) * self.size_inverse
        return torch.cat([x, size.clamp(-PERCEPTRON_LIMIT, PERCEPTRON_LIMIT)], 1)

    @torch.no_grad()
    def prepare(self, batches: Iterable[Batch]) -> None:
        """Fits scales and kernel members to all training batches."""
        found, labels, groups = [], [], []
        for number, batch in enumerate(batches):
            found.append(self.features(batch))
            labels.append(self._labels(batch))
            own = torch.arange(batch.num_graphs) + number * 10**6
            groups.append(batch.group.cpu().view(-1).long() if "group" in batch else own)
        joined = Features(
            *(torch.cat([getattr(f, n) for f in found]) for n in ("shells", "rf_score", "size"))
        )
        self.fit_kernels(joined, torch.cat(labels), torch.cat(groups))

    @torch.no_grad()
    def fit_kernels(self, features: Features, labels: Tensor, groups: Tensor) -> None:
        """Scales and kernel members from features, labels [n, outputs] and groups [n]."""
        known = torch.isfinite(labels).all(1)
        features, y, groups = features[known].to(torch.float64), labels[known], groups[known]
        if not len(y):
            raise InvalidInput("no training record has all labels")
        self.label_mean.copy_(y.mean(0))
        spread = y.std(0, correction=0)
        self.label_spread.copy_(torch.where(spread > 0, spread, torch.ones_like(spread)))
        size = Standard.of(features.size.unsqueeze(1))
        self.size_mean.copy_(size.mean)
        self.size_inverse.copy_(size.inverse)
        for name, _ in KERNELS:
            raw = getattr(features, name)
            standard = Standard.of(raw)
            x = standard(raw, KERNEL_LIMIT)
            fit = fit_ridge(x, y, groups, self.config.ridges, self.config.widths)
            self.kernel(name).set(x, standard, fit)

    def fit(
        self, features: Features, labels: Tensor, groups: Tensor, generator: torch.Generator
    ) -> None:
        """Everything: kernel members in closed form, then the perceptrons; in place."""
        self.fit_kernels(features, labels, groups)
        known = torch.isfinite(labels).all(1)
        y = (labels[known].to(self.label_mean) - self.label_mean) / self.label_spread
        x = self._inputs(features[known].to(self.label_mean.dtype))
        train_perceptrons(self.perceptrons, x.detach(), y, generator)

    def training_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """Mean squared error of every perceptron in units of the labels' spread."""
        predicted = self.perceptrons(self._inputs(self.features(batch)))
        truth = (self._labels(batch).to(predicted) - self.label_mean) / self.label_spread
        known = torch.isfinite(truth)
        error = torch.where(known, predicted - truth, torch.zeros_like(predicted))
        return error.square().sum() / known.sum().clamp(min=1)

    def kernel(self, name: str) -> KernelMember:
        """The kernel member on "shells" or on "rf_score"."""
        return cast(KernelMember, self.kernels[name])

    def _labels(self, batch: Batch) -> Float[Tensor, "complexes outputs"]:
        columns = [
            batch[field.name].reshape(batch.num_graphs, -1).double()
            if field.name in batch
            else torch.full((batch.num_graphs, width), math.nan, dtype=torch.float64)
            for field, width in zip(self.schema.targets, self.widths, strict=True)
        ]
        return torch.cat(columns, 1)


def build_pooled(config: PooledConfig, schema: Schema) -> PooledNetwork:
    """The pooled model for the targets of `schema`, which must be numbers per complex."""
    for field in schema.targets:
        if field.site != GRAPH:
            raise InvalidInput(f"target {field}: only numbers per complex can be learned")
    return PooledNetwork(config, schema)
