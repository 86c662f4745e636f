"""Which messages a batch of molecules needs, and where each is added: once for every distinct one.

An edge's matrix depends on its bond code alone, so messages are sorted by code and each code is
one matrix product. Further, two atoms of equal codes whose neighbours, taken with their bonds, had
equal states so far have equal states (the colours of Weisfeiler and Lehman, 1968); `colour_plan`
therefore computes one state for each colour and one message for each pair of colour and bond code.
Both are exact: colours are compared in full, nothing is hashed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import torch
from jaxtyping import Int
from torch import Tensor

__all__ = ["Edges", "Plan", "Step", "colour_plan", "edges_of", "grouped_plan"]


LARGEST: Final = 2**62


@dataclass(frozen=True, slots=True)
class Edges:
    """Bonds in both directions and one self-loop per atom. types: the distinct bond codes, sorted;
    kind: which of them each edge has.
    """

    source: Int[Tensor, " edges"]
    target: Int[Tensor, " edges"]
    kind: Int[Tensor, " edges"]
    types: Int[Tensor, " types"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of message passing, from rows of the previous states to `rows` new ones.

    source: the previous row each message starts from, messages sorted by type; bounds: first
    message of each type, and their number. message, target: which message is added to which new
    row. previous: the previous row of every new one.
    """

    source: Int[Tensor, " messages"]
    bounds: tuple[int, ...]
    message: Int[Tensor, " additions"]
    target: Int[Tensor, " additions"]
    previous: Int[Tensor, " rows"]


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of a batch. atom_codes: of the first rows. types: bond codes of the matrices.
    expand: the last row of every atom.
    """

    atom_codes: Int[Tensor, " first_rows"]
    types: Int[Tensor, " types"]
    steps: tuple[Step, ...]
    expand: Int[Tensor, " atoms"]


def edges_of(
    edge_index: Int[Tensor, "2 bonds"], bond_code: Int[Tensor, " bonds"], atoms: int, loop: int
) -> Edges:
    """The edges of a batch of `atoms` atoms; self-loops have the code `loop`."""
    own = torch.arange(atoms, device=edge_index.device)
    codes = torch.cat([bond_code, bond_code.new_full((atoms,), loop)])
    types, kind = torch.unique(codes, return_inverse=True)
    source, target = edge_index
    return Edges(torch.cat([source, own]), torch.cat([target, own]), kind, types)


def grouped_plan(atom_code: Int[Tensor, " atoms"], edges: Edges, steps: int) -> Plan:
    """One state per atom, one message per edge, sorted by type."""
    order = edges.kind.argsort(stable=True)
    every = torch.arange(len(atom_code), device=atom_code.device)
    step = Step(
        source=edges.source[order],
        bounds=_bounds(edges.kind, len(edges.types)),
        message=torch.arange(len(order), device=order.device),
        target=edges.target[order],
        previous=every,
    )
    return Plan(atom_code, edges.types, (step,) * steps, every)


def colour_plan(atom_code: Int[Tensor, " atoms"], edges: Edges, steps: int) -> Plan:
    """One state per colour, one message per pair of colour and type."""
    first, colour = torch.unique(atom_code, return_inverse=True)
    slot, degree = _slots(edges.target, len(atom_code))
    found, count = [], len(first)
    for _ in range(steps):
        pairs, message = torch.unique(
            edges.kind * count + colour[edges.source], return_inverse=True
        )
        refined, rows = _refine(colour, message, len(pairs), slot, degree)
        chosen = _representatives(refined, rows)
        kept = (chosen[refined] == torch.arange(len(refined), device=refined.device))[edges.target]
        found.append(
            Step(
                source=pairs % count,
                bounds=_bounds(torch.div(pairs, count, rounding_mode="floor"), len(edges.types)),
                message=message[kept],
                target=refined[edges.target[kept]],
                previous=colour[chosen],
            )
        )
        colour, count = refined, rows
    return Plan(first, edges.types, tuple(found), colour)


def _bounds(kinds: Int[Tensor, " messages"], types: int) -> tuple[int, ...]:
    return (0, *accumulate(kinds.bincount(minlength=types).tolist()))


def _slots(target: Int[Tensor, " edges"], atoms: int) -> tuple[Int[Tensor, " edges"], int]:
    """The place of every edge in a table of atoms and their edges, and the table's width."""
    degrees = target.bincount(minlength=atoms)
    widest = int(degrees.max()) if len(degrees) else 0
    owner, order = target.sort(stable=True)
    starts = degrees.cumsum(0) - degrees
    places = owner * widest + torch.arange(len(target), device=target.device) - starts[owner]
    return torch.empty_like(places).index_copy_(0, order, places), widest


def _refine(
    colour: Int[Tensor, " atoms"],
    message: Int[Tensor, " edges"],
    messages: int,
    slot: Int[Tensor, " edges"],
    degree: int,
) -> tuple[Int[Tensor, " atoms"], int]:
    """The next colours: equal where own colour and sorted list of messages are, compared entry by
    entry, as many at a time as a whole number holds.
    """
    table = colour.new_zeros(len(colour) * degree).index_copy_(0, slot, message + 1)
    columns = list(table.view(len(colour), degree).sort(1, descending=True).values.unbind(1))
    base, rows = messages + 1, len(colour)
    while columns:
        limit, key = LARGEST // rows, colour
        while columns and limit >= base:
            key, limit = key * base + columns.pop(), limit // base
        distinct, colour = torch.unique(key, return_inverse=True)
        rows = len(distinct)
    return colour, rows


def _representatives(colour: Int[Tensor, " atoms"], rows: int) -> Int[Tensor, " rows"]:
    """The first atom of every colour."""
    atoms = torch.arange(len(colour), device=colour.device)
    first = torch.full((rows,), len(colour), device=colour.device)
    return first.scatter_reduce(0, colour, atoms, "amin")
