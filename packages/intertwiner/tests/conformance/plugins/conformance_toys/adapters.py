"""Adapters from atoms to a made-up structure, and readers."""

from __future__ import annotations

import torch
from torch_geometric.data import Data

from intertwiner.errors import DataError


def centred(config):
    return lambda record: Data(pos=record.pos - record.pos.mean(0), z=record.z)


def snapped(config):
    """Rounds to a grid: turning first gives other points."""
    return lambda record: Data(pos=torch.round(record.pos), z=record.z)


def forgetful(config):
    return lambda record: Data(z=record.z)


def reader(config):
    def read(path):
        if not path.read_bytes():
            raise DataError(f"{path}: empty")
        return []

    return read


def careless_reader(config):
    return lambda path: path.read_text().splitlines()[0]


def silent_reader(config):
    return lambda path: []


def drawn(config):
    """Every atom in the voxel nearest to it, about the mean of all."""

    def convert(record):
        volume = torch.zeros(1, 1, 9, 9, 9)
        centred = record.pos - record.pos.mean(dim=0)
        for x, y, z in (centred / 3).round().long().clamp(-4, 4).tolist():
            volume[0, 0, x + 4, y + 4, z + 4] += 1
        return Data(volume=volume, num_nodes=1)

    return convert


def drawn_in_the_wrong_order(config):
    """The axes of the volume are z, y, x."""

    def convert(record):
        return Data(volume=drawn(config)(record).volume.permute(0, 1, 4, 3, 2), num_nodes=1)

    return convert
