"""An adapter gives the structure it declares, and commutes with motions."""

from __future__ import annotations

import importlib.util
import math
import tempfile
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.config import build
from intertwiner.conformance.action import act
from intertwiner.conformance.compare import largest
from intertwiner.conformance.findings import Finding, NotCovered
from intertwiner.conformance.groups import Motion, octahedral_rotations, rotations
from intertwiner.conformance.structures import kit_for
from intertwiner.conformance.structures.voxels import turn_grid
from intertwiner.errors import IntertwinerError
from intertwiner.fields import (
    EDGE,
    FACE,
    NODE,
    VERTEX,
    VOXEL,
    Field,
    Index,
    Label,
    Point,
    Structure,
)
from intertwiner.schema import Schema
from intertwiner.specs import AdapterSpec, load_target

__all__ = ["adapter", "base_inputs"]

ATOMS: Final = (Field("pos", NODE, Point(), "angstrom"), Field("z", NODE, Label()))
BASE: Final = {
    Structure.ATOMS: ATOMS,
    Structure.COMPLEX: (*ATOMS, Field("part", NODE, Label(2))),
    Structure.BONDS: (Field("z", NODE, Label()), Field("edge_index", EDGE, Index(of=NODE))),
    Structure.MESH: (Field("pos", VERTEX, Point()), Field("face", FACE, Index(of=VERTEX))),
}
TOLERANCE: Final = 1e-4
"""Error of a moved output relative to its size; adapters may work in float32."""


def base_inputs(structure: Structure) -> tuple[Field, ...]:
    """The fields every record of a structure has. Raises `NotCovered` where none are fixed yet."""
    if structure not in BASE:
        raise NotCovered(f"what every record of {structure} carries is not written yet")
    return BASE[structure]


def adapter(spec: AdapterSpec) -> list[Finding]:
    """It can be made with default settings; on a record it adds its fields and moves with it."""
    missing = [name for name in spec.requires if importlib.util.find_spec(name) is None]
    if missing:
        raise NotCovered(f"adapter {spec.name} needs {' '.join(missing)}")
    convert = load_target(spec.target)(build(load_target(spec.config), {}))
    if not callable(convert):
        return [Finding("target", f"{spec.target} gave a {type(convert).__name__}, not a callable")]
    if spec.takes == Structure.FILE:
        return _refuses_nonsense(spec, convert)
    return _on_records(spec, convert)


def _refuses_nonsense(spec: AdapterSpec, read: Any) -> list[Finding]:
    """A reader given a file that is empty says so with an error of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"empty{spec.suffixes[0]}"
        path.write_bytes(b"")
        try:
            given = read(path)
        except IntertwinerError as error:
            named = path.name in str(error)
            return [] if named else [Finding("", f"its error does not name the file: {error}")]
        except Exception as error:
            what = f"an empty file ends in {type(error).__name__}: {error}"
            return [Finding("", what, hint="raise intertwiner.errors.DataError")]
    return [Finding("", f"an empty file gives {given!r} and no error")]


def _on_records(spec: AdapterSpec, convert: Any) -> list[Finding]:
    kit, inputs = kit_for(spec.takes), base_inputs(spec.takes)
    schema = Schema(structure=spec.takes, inputs=inputs, targets=(), species=kit.species)
    records = kit.records(schema, torch.Generator().manual_seed(0))
    motion = _motion(spec)
    placed = any(isinstance(field.rep, Point) for field in inputs)
    refused = list[str]()
    for record in records:
        try:
            given = convert(_single(record))
        except IntertwinerError as error:  # a molecule that cannot be: the adapter may say so
            refused.append(str(error))
            continue
        moved = convert(_single(kit.move(schema, record, motion)))
        for field in spec.adds:
            finding = _field(field, given, moved, motion if placed else None, str(record.name))
            if finding is not None:
                return [finding]
    if len(refused) == len(records):
        raise NotCovered(f"it refuses every record of the kit, the first with: {refused[0]}")
    return []


def _motion(spec: AdapterSpec) -> Motion:
    """A rotation; about a diagonal of the grid where volumes are made, which is exact."""
    usual = rotations(torch.Generator().manual_seed(1))[-1]
    if spec.gives != Structure.VOXELS:
        return usual
    diagonal = next(turn for turn in octahedral_rotations() if float(turn.trace()) == 0)
    return Motion("a rotation of the grid", diagonal, usual.shift)


def _field(field: Field, given: Data, moved: Data, motion: Any, name: str) -> Finding | None:
    """motion: None where the records have no places: what is added then stays as it is."""
    if field.name not in given or not isinstance(given[field.name], Tensor):
        return Finding(field.name, f"declared in adds, and not in what the {name} became")
    if motion is None:
        same = torch.equal(given[field.name], moved[field.name])
        return None if same else Finding(field.name, f"differs when made twice (for the {name})")
    if field.site == VOXEL:
        expected = turn_grid(field.rep, given[field.name], motion.matrix)
    else:
        expected = act(field.rep, given[field.name], motion)
    error, size = largest(moved[field.name] - expected), largest(expected)
    if math.isfinite(error) and error <= TOLERANCE * size:
        return None
    what = f"{motion.name} did not change it as declared (for the {name})"
    return Finding(field.name, what, error, size, TOLERANCE * size, "absolute directions")


def _single(record: Data) -> Data:
    """The record in the precision that datasets have."""
    floats: Data = record.clone().apply(lambda v: v.float() if v.is_floating_point() else v)
    return floats
