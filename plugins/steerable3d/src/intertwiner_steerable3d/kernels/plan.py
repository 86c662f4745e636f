"""Which weights of a steerable convolution make which block of its kernel."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_steerable3d.bases.elements import kernel_elements
from intertwiner_steerable3d.bases.lattice import Step
from intertwiner_steerable3d.bases.settings import BasisSettings

__all__ = ["Block", "Plan", "get_plan", "make_plan"]

FieldType = tuple[int, ...]


@dataclass(frozen=True)
class Block:
    """One pair of orders: weights [out_copies, in_copies, elements] at `start` of the flat ones.

    rows, columns: first channel of the output and of the input. first_field: number of the first
    input field. scale: what a weight is multiplied by.
    """

    orders: tuple[int, int]
    copies: tuple[int, int]
    elements: int
    start: int
    rows: int
    columns: int
    first_field: int
    scale: float

    @property
    def weights(self) -> slice:
        """Where the block's weights stand."""
        return slice(self.start, self.start + math.prod(self.copies) * self.elements)

    @property
    def height(self) -> int:
        """Output channels of the block."""
        return self.copies[0] * (2 * self.orders[0] + 1)

    @property
    def width(self) -> int:
        """Input channels of the block."""
        return self.copies[1] * (2 * self.orders[1] + 1)


@dataclass(frozen=True, eq=False)
class Plan:
    """The expansion of flat weights to a kernel [rows, columns, size, size, size].

    handle: the plan's number in this process, by which the operation names it.
    arguments: of `make_plan`, which is how a plan is copied and pickled.
    """

    handle: int
    arguments: tuple[FieldType, FieldType, int, int, BasisSettings, Step]
    rows: int
    columns: int
    blocks: tuple[Block, ...]
    weights: int
    _made: dict[Hashable, Tensor] = field(default_factory=dict)
    _leaking: tuple[Block, ...] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """The plan of the process that it is read in."""
        return make_plan, self.arguments

    def __deepcopy__(self, memo: object) -> Plan:
        """A plan never changes."""
        return self

    @property
    def size(self) -> int:
        """Voxels along an edge of the kernel."""
        return self.arguments[3]

    @property
    def lattice(self) -> tuple[int, BasisSettings, Step]:
        """(size, basis, step): what decides on the elements."""
        return self.arguments[3:]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the kernel."""
        return (self.rows, self.columns, self.size, self.size, self.size)

    def elements(self, block: Block, like: Tensor) -> Float[Tensor, "elements numbers"]:
        """The block's basis, flat, in the dtype and on the device of a tensor."""
        key = (block.orders, like.dtype, like.device)
        if key not in self._made:
            self._made[key] = _flat_elements(*block.orders, *self.lattice, like.dtype, like.device)
        return self._made[key]

    @property
    def is_full(self) -> bool:
        """Whether every pair of channels has elements: no part of the kernel stays zero."""
        return sum(block.height * block.width for block in self.blocks) == self.rows * self.columns

    def packed(self, like: Tensor) -> tuple[Float[Tensor, " numbers"], Int[Tensor, "blocks 9"]]:
        """(the bases of all pairs of orders in a row, a table of the blocks) for the C++ form.

        A row of the table: components out and in, copies out and in, elements, and where weights,
        rows, columns and basis begin.
        """
        key = ("table", like.device)
        if key not in self._made:
            pairs: dict[tuple[int, int], int] = {}
            rows, end = [], 0
            for block in self.blocks:
                if block.orders not in pairs:
                    pairs[block.orders] = end
                    end += self.elements(block, like).numel()
                components = [2 * order + 1 for order in block.orders]
                places = [block.start, block.rows, block.columns, pairs[block.orders]]
                rows.append([*components, *block.copies, block.elements, *places])
            self._made[key] = torch.tensor(rows, dtype=torch.int64).view(-1, 9)
        return self._constant("packed", like, self._pack), self._made[key]

    def _pack(self) -> Tensor:
        like = torch.zeros((), dtype=torch.float64)
        found = {block.orders: self.elements(block, like).flatten() for block in self.blocks}
        return torch.cat(list(found.values())) if found else like.new_zeros(0)

    def scales(self, like: Tensor) -> Float[Tensor, " weights"]:
        """What every weight is multiplied by: outputs of unit variance from white input."""
        return self._constant("scales", like, self._scales)

    def input_fields(self, like: Tensor) -> Int[Tensor, " weights"]:
        """The number of the input field that every weight reads."""
        key = ("fields", like.device)
        if key not in self._made:
            self._made[key] = self._input_fields().to(like.device)
        return self._made[key]

    def sums(self, block: Block, like: Tensor) -> Float[Tensor, "elements out"]:
        """Every element of a block with scalar input, summed over the lattice."""

        def make() -> Tensor:
            return kernel_elements(*block.orders, *self.lattice).kernels[:, :, 0].sum((2, 3, 4))

        return self._constant(("sums", block.orders), like, make)

    def leaking(self) -> tuple[Block, ...]:
        """Blocks through which the mean of a scalar reaches the output.

        On a cubic lattice elements of the orders 1, 2, 3 and 5 sum to zero.
        """
        if self._leaking is None:
            none = torch.zeros((), dtype=torch.float64)
            scalar = [block for block in self.blocks if block.orders[1] == 0]
            found = [block for block in scalar if self.sums(block, none).abs().max() > 1e-9]
            object.__setattr__(self, "_leaking", tuple(found))
        return self._leaking or ()

    def _constant(self, name: Hashable, like: Tensor, make: Callable[[], Tensor]) -> Tensor:
        key = (name, like.dtype, like.device)
        if key not in self._made:
            self._made[key] = make().to(dtype=like.dtype, device=like.device)
        return self._made[key]

    def _scales(self) -> Tensor:
        parts = [torch.zeros(0, dtype=torch.float64)]
        for block in self.blocks:
            parts.append(torch.full((_count(block),), block.scale, dtype=torch.float64))
        return torch.cat(parts)

    def _input_fields(self) -> Tensor:
        parts = [torch.zeros(0, dtype=torch.long)]
        for block in self.blocks:
            fields = torch.arange(block.first_field, block.first_field + block.copies[1])
            parts.append(fields.repeat_interleave(block.elements).repeat(block.copies[0]))
        return torch.cat(parts)


def _count(block: Block) -> int:
    return math.prod(block.copies) * block.elements


@functools.cache
def _flat_elements(
    order_out: int,
    order_in: int,
    size: int,
    basis: BasisSettings,
    step: Step,
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    kernels = kernel_elements(order_out, order_in, size, basis, step).kernels
    return kernels.flatten(1).to(dtype=dtype, device=device).contiguous()


_PLANS: list[Plan] = []


def get_plan(handle: int) -> Plan:
    """The plan of a number."""
    return _PLANS[handle]


def make_plan(
    fields_in: FieldType,
    fields_out: FieldType,
    gates: int,
    size: int,
    basis: BasisSettings,
    step: Step = (1.0, 1.0, 1.0),
) -> Plan:
    """Output orders outside, gates after all of them, input orders inside; empty pairs left out."""
    return _make_plan(fields_in, fields_out, gates, size, basis, step)


@functools.cache
def _make_plan(
    fields_in: FieldType,
    fields_out: FieldType,
    gates: int,
    size: int,
    basis: BasisSettings,
    step: Step,
) -> Plan:
    outer = [(order, count) for order, count in enumerate(fields_out) if count]
    outer += [(0, gates)] if gates else []
    blocks: list[Block] = []
    row = start = 0
    for order, count in outer:
        column = first_field = 0
        for source, copies in enumerate(fields_in):
            elements = len(kernel_elements(order, source, size, basis, step).labels)
            if copies and elements:
                scale = math.sqrt((2 * order + 1) / (elements * sum(fields_in)))
                place = (start, row, column, first_field, scale)
                blocks.append(Block((order, source), (count, copies), elements, *place))
                start += _count(blocks[-1])
            column += copies * (2 * source + 1)
            first_field += copies
        row += count * (2 * order + 1)
    arguments = (fields_in, fields_out, gates, size, basis, step)
    plan = Plan(len(_PLANS), arguments, row, column, tuple(blocks), start)
    _PLANS.append(plan)
    return plan
