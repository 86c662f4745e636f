"""Outputs transform as declared when the input is turned, mirrored, moved or renumbered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.conformance.action import act, frame_free
from intertwiner.conformance.compare import compare
from intertwiner.conformance.findings import Finding, NotCovered
from intertwiner.conformance.groups import (
    Motion,
    random_permutation,
    reflections,
    rotations,
    translation,
)
from intertwiner.conformance.structures.mesh import turn_corners
from intertwiner.conformance.subject import Subject
from intertwiner.fields import Structure

__all__ = ["corners", "permutation", "reflection", "rotation", "translation_far", "uncovered"]

PRECISIONS = (torch.float64, torch.float32)
FAR = (64.0, -48.0, 60.0)
"""100 angstrom away, in whole steps of every power of two down to the grid of the records."""


def rotation(subject: Subject) -> list[Finding]:
    """Turning the input turns the output by its declared representation."""
    hint = (
        "every use of single coordinates, and whether the output is put together from the "
        "representation it declares"
    )
    return _moved(subject, partial(rotations, dimension=subject.dimension), 1.0, hint)


def reflection(subject: Subject) -> list[Finding]:
    """Mirroring the input mirrors the output with its declared parity."""
    hint = "cross products and odd orders; a model that tells left from right declares SE(3)"
    return _moved(subject, partial(reflections, dimension=subject.dimension), 1.0, hint)


def translation_far(subject: Subject) -> list[Finding]:
    """A shift by 100 angstrom changes nothing but points; ten times the tolerance in float32."""
    hint = "absolute positions: use differences, or subtract the centre before anything else"
    shift = translation(FAR[: subject.dimension])
    return _moved(subject, lambda _: [shift], 10.0, hint)


def _moved(
    subject: Subject,
    motions: Callable[[torch.Generator], Sequence[Motion]],
    slack: float,
    hint: str,
) -> list[Finding]:
    records = subject.records()
    for dtype in PRECISIONS:
        module = subject.module(dtype)
        before = subject.outputs(module, records, dtype)
        for motion in motions(torch.Generator().manual_seed(1)):
            moved = [subject.kit.move(subject.schema, record, motion) for record in records]
            after = subject.outputs(module, moved, dtype)
            expected = _acted(subject, before, motion)
            after = _frame_free(subject, after)
            what = f"{motion.name} did not change it as declared, in {_name(dtype)}"
            tolerance = slack * subject.tolerance(dtype)
            found = compare(subject, records, expected, after, tolerance, what, hint)
            if found:
                return found
    return []


def _acted(subject: Subject, outputs: dict[str, Tensor], motion: Motion) -> dict[str, Tensor]:
    acted = {
        target.name: act(target.rep, outputs[target.name], motion)
        for target in subject.schema.targets
    }
    return _frame_free(subject, acted)


def _frame_free(subject: Subject, outputs: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        target.name: frame_free(target.rep, outputs[target.name])
        for target in subject.schema.targets
    }


def permutation(subject: Subject) -> list[Finding]:
    """Renumbering the items of a site renumbers its outputs and leaves the others."""
    found = []
    for site in subject.symmetry.permutes:
        for dtype in PRECISIONS:
            found += _renumbered(subject, site, dtype)
    return found


def _renumbered(subject: Subject, site: str, dtype: torch.dtype) -> list[Finding]:
    generator = torch.Generator().manual_seed(2)
    records = subject.records()
    orders = [random_permutation(subject.kit.count(record, site), generator) for record in records]
    mixed = [
        subject.kit.renumber(subject.schema, record, site, order)
        for record, order in zip(records, orders, strict=True)
    ]
    module = subject.module(dtype)
    before = subject.outputs(module, records, dtype)
    after = subject.outputs(module, mixed, dtype)
    expected = {}
    for target in subject.schema.targets:
        rows = _rows(subject, records, site, orders, target.site)
        expected[target.name] = before[target.name] if rows is None else before[target.name][rows]
    what = f"renumbering the {site}s did not change it as declared, in {_name(dtype)}"
    hint = f"anything that depends on a {site}'s number, on sorting, or on the first {site}"
    return compare(subject, records, expected, after, subject.tolerance(dtype), what, hint)


def _rows(
    subject: Subject, records: Sequence[Data], site: str, orders: Sequence[Tensor], of: str
) -> Tensor | None:
    """The new order of a batch's rows per `of` when `site` is renumbered; None where they stay."""
    found = [
        subject.kit.row_order(record, site, order, of)
        for record, order in zip(records, orders, strict=True)
    ]
    moved = [rows for rows in found if rows is not None]
    return _joined(moved) if moved else None


def _joined(orders: Sequence[Tensor]) -> Tensor:
    """One order of a batch's rows from the orders of its records."""
    starts = [0]
    for order in orders:
        starts.append(starts[-1] + len(order))
    return torch.cat([order + start for order, start in zip(orders, starts, strict=False)])


def corners(subject: Subject) -> list[Finding]:
    """Starting every face at another of its corners, winding kept, changes nothing."""
    records, generator = subject.records(), torch.Generator().manual_seed(8)
    turned = [turn_corners(record, generator) for record in records]
    what = "starting faces at another corner changed it"
    hint = "anything that takes the first corner of a face for something special"
    found = []
    for dtype in PRECISIONS:
        module = subject.module(dtype)
        before = subject.outputs(module, records, dtype)
        after = subject.outputs(module, turned, dtype)
        found += compare(subject, records, before, after, subject.tolerance(dtype), what, hint)
    return found


def uncovered(subject: Subject) -> list[Finding]:
    """Raises `NotCovered` naming a declared symmetry that has no test here yet."""
    if subject.spec.reads == Structure.VOXELS and subject.symmetry.space is not None:
        raise NotCovered(
            f"{subject.symmetry.space} between the rotations of the grid holds up to its "
            "discretisation only, and is not tested"
        )
    return []


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
