"""Molecules as balls and sticks, with vectors: dipoles, true and predicted."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from intertwiner.atomic import write_atomically
from intertwiner.errors import DataError, RunError
from intertwiner.view._child import Unrendered, render
from intertwiner.view._compose import compose
from intertwiner.view._elements import element
from intertwiner.view._extra import require
from intertwiner.view._figure import COLOURS, save
from intertwiner.view._scene import Array, Molecule, Scene, lay_out

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

__all__ = ["draw_molecules"]

_log = logging.getLogger(__name__)


def draw_molecules(
    records: Sequence[Data],
    out: Path,
    *,
    vectors: Mapping[str, Sequence[Tensor]] | None = None,
    labels: Sequence[str] | None = None,
    unit: str = "debye",
) -> Path:
    """Draws `records` side by side into a PNG, or a page to turn about when `out` is HTML
    (without labels; PyVista says which further package that needs).

    Atoms nearer than 1.25 times the sum of their covalent radii are joined. Each molecule is
    turned so that it and its vectors are seen best; arrows start at the centre of geometry and
    are drawn in front of the atoms; the legend says how long a unit is.

    records: with `pos` `[atoms, 3]` in angstrom and `z` `[atoms]`.
    vectors: name -> one vector `[3]` or `[1, 3]` per record, in `unit`; NaN draws no arrow.
    labels: one per record; its `name` by default.

    Where no 3D picture can be made (no graphics library), a flat one is drawn and that is logged
    as a warning. Raises `RunError` without the extra `viz`, and `DataError` when vectors or
    labels are not one per record or there is nothing to draw.
    """
    require("matplotlib", "pyvista")
    vectors = vectors or {}
    _check_counts(records, vectors, labels)
    molecules = [_molecule(record, n, vectors, labels, unit) for n, record in enumerate(records)]
    colours = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(vectors)}
    scene = lay_out(molecules, colours)
    if out.suffix.lower() in (".html", ".htm"):
        return _write_page(scene, out)
    numbers = sorted({int(number) for molecule in molecules for number in molecule.numbers})
    return save(compose(scene, _rendered(scene), colours, unit, map(element, numbers)), out)


def _check_counts(
    records: Sequence[Data],
    vectors: Mapping[str, Sequence[Tensor]],
    labels: Sequence[str] | None,
) -> None:
    if not records:
        raise DataError("no molecules to draw: give at least one record")
    given: dict[str, Sequence[Any]] = {
        f"vectors {name!r}": found for name, found in vectors.items()
    }
    if labels is not None:
        given["labels"] = labels
    for what, found in given.items():
        if len(found) != len(records):
            raise DataError(f"{what}: {len(found)} for {len(records)} molecules; give one for each")


def _molecule(
    record: Data,
    number: int,
    vectors: Mapping[str, Sequence[Tensor]],
    labels: Sequence[str] | None,
    unit: str,
) -> Molecule:
    label = labels[number] if labels is not None else str(record.get("name", f"molecule {number}"))
    rows = {name: _array(found[number]).reshape(-1) for name, found in vectors.items()}
    for name, row in rows.items():
        if row.shape != (3,):
            raise DataError(f"{label!r}: vector {name!r} has {row.size} components, not 3")
    lengths = [f"{name} {np.linalg.norm(row):.2f}" for name, row in rows.items()]
    return Molecule(
        label=label,
        values=f"{', '.join(lengths)} {unit}" if rows else "",
        positions=_array(record.pos),
        numbers=record.z.detach().cpu().numpy(),
        vectors=np.array(list(rows.values())).reshape(-1, 3),
    )


def _array(tensor: Tensor) -> Array:
    found: Array = tensor.detach().cpu().double().numpy()
    return found


def _rendered(scene: Scene) -> bytes | None:
    try:
        return render(scene)
    except Unrendered as reason:
        _log.warning("no 3D picture could be made here (%s); the molecules are drawn flat", reason)
        return None


def _write_page(scene: Scene, out: Path) -> Path:
    try:
        write_atomically(out, [render(scene, ".html")])
    except Unrendered as reason:
        raise RunError(
            f"{out}: no page to turn about can be made here ({reason}); write a PNG"
        ) from reason
    return out
