"""The expansion as one matrix product and one copy a block, and its adjoint."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from intertwiner_steerable3d.kernels.operation import linear_operation
from intertwiner_steerable3d.kernels.plan import Block, get_plan

__all__ = ["expand", "expand_kernel", "reduce"]


def expand(weight: Float[Tensor, " weights"], plan: int) -> Float[Tensor, "rows columns x y z"]:
    """kernel[(u, i), (v, j), x] = sum_b weight[u, v, b] K_b[i, j, x] in every block."""
    found = get_plan(plan)
    kernel = weight.new_zeros(found.shape)
    for block in found.blocks:
        product = weight[block.weights].view(-1, block.elements) @ found.elements(block, weight)
        _apart(kernel, block).copy_(_by_channel(product, block))
    return kernel


def reduce(kernel: Float[Tensor, "rows columns x y z"], plan: int) -> Float[Tensor, " weights"]:
    """The adjoint of `expand`.

    weight[u, v, b] = sum_{i, j, x} kernel[(u, i), (v, j), x] K_b[i, j, x]
    """
    found = get_plan(plan)
    weight = kernel.new_empty(found.weights)
    for block in found.blocks:
        gathered = _apart(kernel, block).transpose(1, 2)
        elements = found.elements(block, kernel)
        product = gathered.reshape(-1, elements.shape[1]) @ elements.T
        weight[block.weights] = product.view(-1)
    return weight


def _apart(kernel: Tensor, block: Block) -> Float[Tensor, "u i v j*points"]:
    """A view of the block's part of a kernel, copies and components apart."""
    rows = slice(block.rows, block.rows + block.height)
    columns = slice(block.columns, block.columns + block.width)
    part = kernel[rows, columns].unflatten(0, (block.copies[0], -1))
    return part.unflatten(2, (block.copies[1], -1)).flatten(3)


def _by_channel(product: Tensor, block: Block) -> Float[Tensor, "u i v j*points"]:
    """Rows (u, v) of numbers (i, j, point) to the order of the kernel."""
    components = 2 * block.orders[0] + 1
    return product.view(*block.copies, components, -1).transpose(1, 2)


expand_kernel = linear_operation("gemm", expand, reduce)
"""`expand`, differentiable to any order."""
