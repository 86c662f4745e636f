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
