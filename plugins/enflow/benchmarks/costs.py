"""What an evaluation costs: velocity, divergence, and their gradients, beside the usual forms.

The usual exact divergence is a reverse pass for every coordinate with the graph of each kept, as
in the released code; the usual estimate is one vector-Jacobian product with its graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from intertwiner.benchmark import Row, compare
from intertwiner_enflow.divergence.reference import divergence_by_gradients
from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.kernels.choice import torch_form

CASES = (("DW4 B=100", 2, 4, 100, (4.0, 9.0)), ("LJ13 B=10", 3, 13, 10, (6.5, 14.0)))
USUAL = "autograd"


def measure(repeats: int) -> Iterator[Row]:
    """All rows of both targets."""
    for name, dimension, particles, batch, required in CASES:
        torch.manual_seed(0)
        velocity = EgnnVelocity(dimension)
        x, t = torch.randn(batch, particles, dimension), torch.rand(batch)
        x = x - x.mean(dim=1, keepdim=True)
        yield from _velocity(name, velocity, t, x, repeats)
        yield from _exact(name, velocity, t, x, required, repeats)
        yield from _probe(name, velocity, t, x, repeats)


def _velocity(
    name: str, velocity: EgnnVelocity, t: Tensor, x: Tensor, repeats: int
) -> Iterator[Row]:
    def value() -> None:
        with torch.no_grad():
            velocity(t, x)

    def matching() -> None:
        velocity(t, x).square().sum().backward()

    for what, work in (("velocity", value), ("flow matching with gradient", matching)):
        title = f"{name} {what}, compiled"
        yield compare(title, work, _in_torch(work), against="torch", repeats=repeats)


def _exact(
    name: str,
    velocity: EgnnVelocity,
    t: Tensor,
    x: Tensor,
    required: tuple[float, float],
    repeats: int,
) -> Iterator[Row]:
    def ours() -> None:
        with torch.no_grad():
            velocity.divergence(t, x)

    def kept() -> None:
        divergence_by_gradients(velocity, t, x, create_graph=True)

    def dropped() -> None:
        divergence_by_gradients(velocity, t, x)

    title = f"{name} exact divergence"
    settings = {"against": USUAL, "repeats": repeats}
    yield compare(f"{title}, torch", _in_torch(ours), kept, required=required[0], **settings)
    yield compare(f"{title}, compiled", ours, kept, required=required[1], **settings)
    against = f"{USUAL}, no graph kept"
    yield compare(f"{title}, compiled", ours, dropped, against=against, repeats=repeats)


def _probe(name: str, velocity: EgnnVelocity, t: Tensor, x: Tensor, repeats: int) -> Iterator[Row]:
    probe = torch.randint(0, 2, x.shape).to(x) * 2 - 1

    def ours() -> tuple[Tensor, Tensor]:
        v, change = velocity.tangents(t, x, probe.unsqueeze(0))
        return v, (probe * change[0]).sum(dim=(1, 2))

    def usual() -> tuple[Tensor, Tensor]:
        with torch_form():
            state = x.clone().requires_grad_()
            v = velocity(t, state)
            (row,) = torch.autograd.grad(v, state, probe, create_graph=True)
        return v, (probe * row).sum(dim=(1, 2))

    def value() -> None:
        with torch.no_grad():
            ours()

    title = f"{name} Hutchinson"
    settings = {"against": USUAL, "repeats": repeats}
    yield compare(f"{title}, compiled", value, usual, required=3.5, **settings)
    gradient = f"{title} with gradient, compiled"
    yield compare(gradient, _gradient(ours), _gradient(usual), required=2.1, **settings)


def _gradient(work: Callable[[], tuple[Tensor, Tensor]]) -> Callable[[], None]:
    def run() -> None:
        v, divergence = work()
        (v.square().sum() + divergence.sum()).backward()

    return run


def _in_torch(work: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        with torch_form():
            work()

    return run
