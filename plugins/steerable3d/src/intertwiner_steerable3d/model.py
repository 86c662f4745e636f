"""The networks as models: a batch of volumes in, one tensor for every target out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.fields import GRAPH, VOXEL, Field, Irreps, Label, Scalar
from intertwiner.schema import Schema
from intertwiner_steerable3d.bases.settings import BasisSettings
from intertwiner_steerable3d.config import CnnConfig, NetworkConfig, PresetConfig
from intertwiner_steerable3d.errors import InvalidSetting, VoxelWarning
from intertwiner_steerable3d.layers.block import BlockSettings
from intertwiner_steerable3d.layers.calibration import calibrate, has_frozen_norms
from intertwiner_steerable3d.layers.field_type import FieldType
from intertwiner_steerable3d.networks import build
from intertwiner_steerable3d.networks.custom import CustomNetwork, cnn_trunk
from intertwiner_steerable3d.networks.steerable import gated_stack
from intertwiner_steerable3d.networks.turning import RandomGridRotation

__all__ = ["VolumeModel", "build_cnn", "build_network", "build_preset"]


class VolumeModel(nn.Module):
    """A network from volumes to rows of numbers, its columns dealt out to the targets.

    A `Label` of so many classes takes as many columns, its logits; a scalar takes one for each of
    its channels, in units of the spread of the training labels around their mean, which `prepare`
    finds.
    """

    def __init__(self, network: nn.Module, schema: Schema) -> None:
        super().__init__()
        self.network = network
        self.volume = volume_field(schema).name
        self.targets = {field.name: columns_of(field) for field in schema.targets}
        self.labels = {field.name for field in schema.targets if isinstance(field.rep, Label)}
        self.single = {field.name for field in schema.targets if field.rep == Scalar()}
        self.mean: Tensor
        self.spread: Tensor
        self.register_buffer("mean", torch.zeros(len(self.targets)))
        self.register_buffer("spread", torch.ones(len(self.targets)))

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Logits [records, classes] of labels, values [records] or [records, channels]."""
        rows = self.network(batch[self.volume]).split(list(self.targets.values()), 1)
        found = {}
        for number, (name, columns) in enumerate(zip(self.targets, rows, strict=True)):
            scaled = columns * self.spread[number] + self.mean[number]
            scaled = scaled[:, 0] if name in self.single else scaled
            found[name] = columns if name in self.labels else scaled
        return found

    @torch.no_grad()
    def prepare(self, batches: Iterable[Batch]) -> None:
        """Mean and spread of every scalar target; labels that are missing are left out.

        Frozen norms get the statistics of all batches.
        """
        if has_frozen_norms(self.network):
            batches = list(batches)
            calibrate(self.network, (batch[self.volume] for batch in batches))
        scalars = [name for name in self.targets if name not in self.labels]
        columns: dict[str, list[Tensor]] = {name: [] for name in scalars}
        for batch in batches if scalars else ():
            for name in scalars:
                columns[name].append(batch[name][batch[name].isfinite()])
        for number, name in enumerate(self.targets):
            values = torch.cat(columns[name]) if columns.get(name) else torch.zeros(0)
            if len(values):
                self.mean[number] = values.mean()
                deviation = float(values.std(correction=0))
                self.spread[number] = deviation if deviation > 0 else 1.0


def volume_field(schema: Schema) -> Field:
    """The one voxel field of a schema. Raises `InvalidSetting` where there is not one."""
    found = [field for field in schema.inputs if field.site == VOXEL]
    if len(found) != 1:
        names = ", ".join(field.name for field in found) or "none"
        raise InvalidSetting(f"inputs on voxels: {names}; this network reads one field of scalars")
    return found[0]


def input_channels(schema: Schema) -> int:
    """Scalars of a voxel. Raises `InvalidSetting` for a volume of vectors or tensors."""
    field = volume_field(schema)
    orders = {order for _, order, _ in field.rep.blocks} if isinstance(field.rep, Irreps) else {0}
    if orders != {0}:
        raise InvalidSetting(f"{field.name} holds {field.rep}: this network reads scalars (0e)")
    return field.rep.width


def columns_of(field: Field) -> int:
    """Numbers that a target takes. Raises `InvalidSetting` for what a network cannot give."""
    if field.site == GRAPH and isinstance(field.rep, Label) and field.rep.classes:
        return field.rep.classes
    if field.site == GRAPH and isinstance(field.rep, Scalar):
        return field.rep.width
    raise InvalidSetting(
        f"target {field.name} is a {field.rep} of each {field.site}: this network gives scalars "
        "of a record, and labels whose number of classes is declared"
    )


def _outputs(schema: Schema) -> int:
    return sum(columns_of(field) for field in schema.targets)


def _basis(config: PresetConfig | NetworkConfig) -> BasisSettings:
    return BasisSettings(kind=config.basis, band_limit=config.band_limit, tau=config.tau)


def build_preset(config: PresetConfig, schema: Schema) -> VolumeModel:
    """A network of `networks.PRESETS`."""
    network = build(
        config.preset,
        channels=input_channels(schema),
        outputs=_outputs(schema),
        grid=config.grid,
        basis=_basis(config),
        smooth=None if config.smooth else False,
    )
    return VolumeModel(network, schema)


def build_network(config: NetworkConfig, schema: Schema) -> VolumeModel:
    """Gated blocks of a layout of one's own. Warns of a head that breaks the symmetry."""
    if config.head == "flatten":
        warnings.warn(
            "head 'flatten' breaks rotation symmetry: right only in a fixed local frame",
            VoxelWarning,
            stacklevel=2,
        )
    channels = input_channels(schema)
    settings = BlockSettings(
        basis=_basis(config),
        momentum=0.1 if config.norm else None,
        frozen=config.calibrated,
        pad_after_norm=config.calibrated,
        smooth=config.smooth,
    )
    last = config.fields[-1][0]
    types: list[FieldType] = [(channels,), *config.fields[:-1], (last,)]
    trunk = gated_stack(types, config.sizes, config.strides, settings=settings)
    network = CustomNetwork(
        trunk,
        config.head,
        features=last,
        channels=channels if config.inputs_join else 0,
        outputs=_outputs(schema),
        shells=config.shells,
        hidden=config.hidden,
        dropout=config.dropout,
        standardise=config.standardise,
        calibrated=config.calibrated,
    )
    return VolumeModel(network, schema)


def build_cnn(config: CnnConfig, schema: Schema) -> VolumeModel:
    """A plain CNN of a layout of one's own."""
    channels = input_channels(schema)
    widths = (channels, *config.channels)
    trunk = cnn_trunk(widths, config.sizes, config.strides, smooth=config.smooth)
    network: nn.Module = CustomNetwork(
        trunk,
        config.head,
        features=config.channels[-1],
        channels=channels if config.inputs_join else 0,
        outputs=_outputs(schema),
        shells=config.shells,
        hidden=config.hidden,
        dropout=config.dropout,
        standardise=config.standardise,
    )
    if config.turn:
        network = nn.Sequential(RandomGridRotation(), network)
    return VolumeModel(network, schema)
