"""Velocity fields with a field worth testing: at their start they are almost zero."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.dynamics.joint import JointVelocity
from intertwiner_enflow.dynamics.stack import EgnnStack
from intertwiner_enflow.kernels.choice import torch_form

ROOT = Path(__file__).parents[3]
PARITY = Path(os.environ.get("INTERTWINER_PARITY_DIR", ROOT / "../shared/data/parity")) / "enflow"


def liven(stack: EgnnStack, factor: float = 300.0) -> None:
    """Makes displacements that matter."""
    with torch.no_grad():
        for layer in stack.each():
            layer.coord[2].weight.mul_(factor)


@pytest.fixture
def make_velocity() -> Callable[..., EgnnVelocity]:
    """`make_velocity(2, layers=3)`: in double precision, far from its start."""

    def make(
        dimension: int = 2, layers: int = 3, features: int = 8, **settings: bool
    ) -> EgnnVelocity:
        torch.manual_seed(31)
        velocity = EgnnVelocity(dimension, layers, features, **settings).double()
        liven(velocity.stack)
        return velocity

    return make


@pytest.fixture
def make_joint_velocity() -> Callable[..., JointVelocity]:
    def make(features: int = 4, layers: int = 2, width: int = 8) -> JointVelocity:
        torch.manual_seed(32)
        velocity = JointVelocity(3, features, layers, width).double()
        liven(velocity.stack)
        return velocity

    return make


@pytest.fixture
def make_points() -> Callable[..., Tensor]:
    """Centred configurations: `make_points(batch, particles, dimension)`."""

    def make(batch: int, particles: int, dimension: int, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        shape = (batch, particles, dimension)
        x = 1.5 * torch.randn(shape, generator=generator, dtype=torch.float64)
        return x - x.mean(dim=1, keepdim=True)

    return make


@pytest.fixture
def parity() -> Callable[[str], Mapping[str, Tensor]]:
    """A stored record of the released implementation; skips where the files are not at hand."""

    def load(name: str) -> Mapping[str, Tensor]:
        path = PARITY / name
        if not path.exists():
            pytest.skip(f"{path} is not here: set INTERTWINER_PARITY_DIR")
        with np.load(path, allow_pickle=False) as stored:
            return {key: torch.from_numpy(stored[key]) for key in stored.files}

    return load


@pytest.fixture(params=["compiled", "torch"])
def form(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs a test with the compiled program, and with dense torch."""
    if request.param == "compiled":
        yield "compiled"
        return
    with torch_form():
        yield "torch"
