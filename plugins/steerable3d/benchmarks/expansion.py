"""Weights to kernels: C++ and matrix products beside e3nn's voxel convolution and a plain copy.

`python benchmarks/expansion.py [--json] [--repeats N] [--threads N]`. 64 channels are 4 fields of
each order 0 to 3, 256 are 16. The bases are not the same: e3nn's has a radial function a voxel of
the kernel's edge and all harmonics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from e3nn.nn.models.v2103.voxel_convolution import Convolution
from torch import Tensor

from intertwiner.benchmark import Row, compare, main
from intertwiner_steerable3d.bases.settings import PAPER
from intertwiner_steerable3d.kernels import gemm
from intertwiner_steerable3d.kernels.compiled import expansion as compiled
from intertwiner_steerable3d.kernels.plan import make_plan
from intertwiner_steerable3d.layers.convolution import SteerableConv3d

CASES = ((4, 5, 11.0), (4, 7, None), (16, 3, 11.0))
FORMS = {"C++": compiled.expand_kernel, "torch": gemm.expand_kernel}


def measure(repeats: int) -> Iterator[Row]:
    """Forward and forward with backward against e3nn; forward against a copy; initialisation."""
    for copies, size, goal in CASES:
        types = (copies,) * 4
        plan = make_plan(types, types, 0, size, PAPER)
        name = f"{16 * copies} channels, {size}^3"
        other = e3nn_kernel(copies, size)
        for form, expand in FORMS.items():
            required = goal if form == "C++" else None
            ours = (torch.randn(plan.weights), partial(_expand, expand, plan.handle))
            for mode, work in (("forward", forward), ("forward + backward", both)):
                yield compare(
                    f"expansion in {form}, {name}, {mode}",
                    partial(work, *ours),
                    partial(work, *other),
                    against="e3nn",
                    repeats=repeats,
                    required=required,
                )
        kernel = torch.randn(plan.shape)
        weight = torch.randn(plan.weights)
        yield compare(
            f"expansion in C++, {name}, forward",
            partial(forward, weight, partial(_expand, compiled.expand_kernel, plan.handle)),
            kernel.clone,
            against="a copy",
            repeats=repeats,
            required=1 / 2.5,
        )
    yield from initialisation(repeats)


def initialisation(repeats: int) -> Iterator[Row]:
    """A layer of 256 channels, made anew; bases of the process are there already."""
    yield compare(
        "initialisation, 256 channels, 3^3",
        lambda: SteerableConv3d((16,) * 4, (16,) * 4, 3, gates=48, basis=PAPER),
        lambda: e3nn_layer(16, 3),
        against="e3nn",
        repeats=min(repeats, 3),
    )


def e3nn_layer(copies: int, size: int) -> Convolution:
    """e3nn's layer of as many channels, harmonics up to order 6."""
    irreps = f"{copies}x0e+{copies}x1e+{copies}x2e+{copies}x3e"
    harmonics = "+".join(f"1x{order}e" for order in range(7))
    return Convolution(irreps, irreps, harmonics, size)


def e3nn_kernel(copies: int, size: int) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Its weights, and how it makes a kernel of them."""
    layer = e3nn_layer(copies, size)

    def expand(weight: Tensor) -> Tensor:
        dealt = layer.emb @ weight / size**1.5
        kernel: Tensor = torch.einsum("xyzio->oixyz", layer.tp.right(layer.sh, dealt))
        return kernel.contiguous()

    return layer.weight.detach(), expand


def _expand(expand: Callable[[Tensor, int], Tensor], handle: int, weight: Tensor) -> Tensor:
    return expand(weight, handle)


def forward(weight: Tensor, expand: Callable[[Tensor], Tensor]) -> None:
    with torch.no_grad():
        expand(weight)


def both(weight: Tensor, expand: Callable[[Tensor], Tensor]) -> None:
    kernel = expand(weight.clone().requires_grad_())
    kernel.backward(kernel.detach())


if __name__ == "__main__":
    main(__doc__ or "", measure)
