"""The joint flow as a model of intertwiner: trained on molecules, sampled into molecules."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from intertwiner.errors import DeclarationError
from intertwiner.schema import Schema
from intertwiner_enflow.config import JointFlowConfig
from intertwiner_enflow.discrete.dequantizer import Dequantizer, FixedLifting
from intertwiner_enflow.discrete.vocabulary import Vocabulary
from intertwiner_enflow.dynamics.joint import JointVelocity
from intertwiner_enflow.joint import JointFlow, Molecules
from intertwiner_enflow.kernels.edge_block import geometry
from intertwiner_enflow.losses.joint import (
    joint_flow_matching_loss,
    joint_negative_log_likelihood,
)
from intertwiner_enflow.losses.likelihood import LikelihoodSettings
from intertwiner_enflow.model import dimension_of
from intertwiner_enflow.records import alike, padded
from intertwiner_enflow.solver.solve import SolverSettings
from intertwiner_enflow.transport import DivergenceKind

__all__ = ["MoleculeFlow", "build_joint_flow"]


TABLE, STEP = 4096, 0.1
_SAMPLED_AT_ONCE = 96


class MoleculeFlow(nn.Module):
    """A joint flow that trains itself on batches: see `FlowConfig` for how."""

    step: Tensor

    def __init__(self, flow: JointFlow, config: JointFlowConfig) -> None:
        super().__init__()
        self.flow = flow
        self.flow.sizes.unseen = "once"
        self.config = config
        self.likelihood = LikelihoodSettings.from_config(config)
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def prepare(self, batches: Iterable[Batch]) -> None:
        """Counts sizes; sets the scales of positions and features from the training records.

        The features' scales are those of the fixed lifting with noise of seed 0.
        """
        generator = torch.Generator().manual_seed(0)
        sizes, parts = [], []
        for batch in batches:
            x, z, mask = padded(batch)
            lifted = self.flow.lifted(x, z, mask, fixed=True, generator=generator)
            sizes.append(batch.ptr.diff())
            parts.append((x[mask > 0], lifted.v[mask > 0]))
        self.flow.sizes.count(torch.cat(sizes))
        x, h = (torch.cat(column).unsqueeze(0) for column in zip(*parts, strict=True))
        self.flow.actnorm.initialise(x, h, x.new_ones(x.shape[:2]))

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The bound of every molecule's log-density, in nats."""
        return {"log_prob": self._bound(batch)}

    def _bound(self, batch: Batch) -> Float[Tensor, " records"]:
        """Exact up to `config.exact_directions` coordinates of a molecule, by one probe above;
        noise and probes go with the atoms, so that a molecule has one figure."""
        parts = padded(batch)
        found = parts[0].new_zeros(batch.num_graphs)
        for all_rows, _ in alike(parts[2]):
            atoms = parts[2][all_rows].sum(dim=1)
            small = atoms * self.flow.dynamics.channels <= self.config.exact_directions
            kinds: tuple[tuple[DivergenceKind, Tensor], ...]
            kinds = (("exact", all_rows[small]), ("hutchinson", all_rows[~small]))
            for kind, rows in kinds:
                if len(rows):
                    most = int(parts[2][rows].sum(dim=1).max())
                    found[rows] = self._bound_by(kind, *(part[rows, :most] for part in parts))
        return found

    def _bound_by(
        self, kind: DivergenceKind, x: Tensor, z: Tensor, mask: Tensor
    ) -> Float[Tensor, " records"]:
        features, channels = self.flow.vocabulary.features, self.flow.dynamics.channels
        draws = self.config.importance_samples
        *noises, probe = noise_of_atoms(x, mask, draws * features + channels).split(
            [features] * draws + [channels], dim=-1
        )
        settings = {"given_probes": probe.unsqueeze(0), "fixed": not self.learns_likelihood}
        bounds = [self.flow.log_prob(x, z, mask, kind, noise=one, **settings) for one in noises]
        return torch.stack(bounds).logsumexp(dim=0) - math.log(draws)

    def training_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """Flow matching or the likelihood bound, averaged over the molecules."""
        if self.training:
            self.step += 1
        parts = padded(batch)
        losses = [
            self._loss(*(part[rows, :most] for part in parts)) * len(rows)
            for rows, most in alike(parts[2])
        ]
        return torch.stack(losses).sum() / batch.num_graphs

    def _loss(self, x: Tensor, z: Tensor, mask: Tensor) -> Float[Tensor, ""]:
        if self.learns_likelihood:
            return joint_negative_log_likelihood(self.flow, x, z, mask, self.likelihood)
        return joint_flow_matching_loss(self.flow, x, z, mask, aligned=self.config.align)

    @property
    def learns_likelihood(self) -> bool:
        """Whether the present training step is one of likelihood."""
        after = self.config.fine_tune_after
        return self.config.objective == "likelihood" or 0 < after < int(self.step)

    @torch.no_grad()
    def record_figures(self, batch: Batch) -> dict[str, Float[Tensor, " records"]]:
        """Minus the bound of every molecule, "nll" in nats. For larger molecules by one probe:
        noisy for one of them, unbiased for their mean."""
        return {"nll": -self._bound(batch)}

    def sample(
        self, n: int, *, generator: torch.Generator | None = None, log_prob: bool = False
    ) -> list[Data]:
        """n molecules of sizes drawn from p(M); those that failed carry `failed` = 1."""
        sizes = self.flow.sizes.sample(n, generator)
        records: dict[int, Data] = {}
        for rows in sizes.argsort(stable=True).split(_SAMPLED_AT_ONCE):
            found = self.flow.sample(
                len(rows), sizes=sizes[rows], return_log_prob=log_prob, generator=generator
            )
            records |= {row: _record(found, place) for place, row in enumerate(rows.tolist())}
        return [records[row] for row in range(n)]

    def path(
        self, times: Sequence[float], *, generator: torch.Generator | None = None
    ) -> list[Data]:
        """One molecule on its way, as a record for each of the times, which begin at 1."""
        frames = self.flow.path(1, times, generator=generator)
        return [_record(frame, 0) for frame in frames]


def noise_of_atoms(
    x: Float[Tensor, "batch n dim"], mask: Float[Tensor, "batch n"], features: int
) -> Float[Tensor, "batch n features"]:
    """Standard normal numbers that go with an atom, however the molecule is turned or numbered.

    They are looked up in a fixed table by the sum of the atom's distances to the others.
    """
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(TABLE, features, generator=generator, dtype=torch.float64).to(x)
    pairs = mask.unsqueeze(-1) * mask.unsqueeze(-2)
    reach = (geometry(x).n.squeeze(-1) * pairs).sum(dim=-1)
    return table[(reach / STEP).round().long() % TABLE] * mask.unsqueeze(-1)


def _record(found: Molecules, number: int) -> Data:
    atoms = int(found.mask[number].sum())
    record = Data(pos=found.x[number, :atoms], z=found.z[number, :atoms])
    record.failed = found.failed[number : number + 1].long()
    if found.log_prob is not None:
        record.log_prob = found.log_prob[number : number + 1]
    return record


def build_joint_flow(config: JointFlowConfig, schema: Schema) -> MoleculeFlow:
    """`enflow/egnn-joint` for the schema's elements. Raises `DeclarationError` without any.

    Where likelihood is never trained, features are lifted by the fixed distribution, and scales
    stay as the data set them.
    """
    if not schema.species:
        raise DeclarationError("the joint flow needs the elements of the data: schema.species")
    vocabulary = Vocabulary(tuple(schema.species))
    dynamics = JointVelocity(
        dimension_of(schema),
        vocabulary.features,
        config.layers,
        config.features,
        attention=config.attention,
        tanh=config.tanh,
    )
    learned = None
    if config.objective == "likelihood" or config.fine_tune_after:
        learned = Dequantizer(vocabulary.features, config.dequantizer_layers, config.features)
    flow = JointFlow(
        dynamics,
        vocabulary,
        learned,
        SolverSettings(tolerance=config.tolerance),
        FixedLifting(config.lifting_margin, config.lifting_spread),
    )
    if learned is None:
        flow.actnorm.requires_grad_(False)
    return MoleculeFlow(flow, config)
