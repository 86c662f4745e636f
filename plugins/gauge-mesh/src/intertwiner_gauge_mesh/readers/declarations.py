"""The readers this plugin brings. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

from intertwiner.fields import FACE, VERTEX, Field, Index, Point, Structure
from intertwiner.specs import AdapterSpec

__all__ = ["readers"]

_PACKAGE = "intertwiner_gauge_mesh.readers"
_FORMATS = (
    ("off", "Off", "OFF files", (".off",)),
    ("ply", "Ply", "PLY files, ASCII and binary", (".ply",)),
    ("obj", "Obj", "OBJ files", (".obj",)),
    ("stl", "Stl", "STL files, ASCII and binary", (".stl",)),
    ("vtk", "Vtk", "Legacy VTK files of polygons", (".vtk",)),
)


def readers() -> Iterable[AdapterSpec]:
    """One adapter from FILE to MESH for every format."""
    for name, prefix, summary, suffixes in _FORMATS:
        yield AdapterSpec(
            name=f"read-{name}",
            summary=f"{summary}: a triangle mesh",
            target=f"{_PACKAGE}.{name}:{prefix}Reader",
            config=f"{_PACKAGE}.config:MeshReadConfig",
            takes=Structure.FILE,
            gives=Structure.MESH,
            adds=(Field("pos", VERTEX, Point()), Field("face", FACE, Index(of=VERTEX))),
            suffixes=suffixes,
        )
