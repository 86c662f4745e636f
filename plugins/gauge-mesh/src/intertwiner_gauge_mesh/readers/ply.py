"""PLY, ASCII and binary of either byte order: vertices with x, y, z, and faces as lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_gauge_mesh.readers.base import MeshReader, RawMesh
from intertwiner_gauge_mesh.readers.content import number, read_bytes, whole_number

__all__ = ["PlyReader", "parse_ply"]

_TYPES: Final = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}
_FORMATS: Final = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_LISTS: Final = ("vertex_indices", "vertex_index")
_HEADER_LIMIT: Final = 1 << 16


@dataclass
class _Element:
    """Properties are (name, type) or, for lists, (name, type, type of the count)."""

    name: str
    count: int
    properties: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def lists(self) -> bool:
        return any(len(item) == 3 for item in self.properties)


@dataclass
class _Header:
    order: str
    elements: list[_Element]
    size: int
    lines: int


class PlyReader(MeshReader):
    """Reads `.ply`; other elements and properties are passed over."""

    def raw_mesh(self, path: Path) -> RawMesh:
        return parse_ply(path, read_bytes(path, self.config.max_bytes))


def parse_ply(path: Path, content: bytes) -> RawMesh:
    """The mesh in the bytes of a PLY file; `path` is only named in errors.

    Raises `DataError` naming line or element for anything that is not as the header says.
    """
    header = _header(path, content)
    columns: dict[str, Any] = {}
    lines: dict[str, range] = {}
    if header.order:
        at = header.size
        for element in header.elements:
            columns[element.name], at = _binary(path, content, at, element, header.order)
    else:
        rows = content[header.size :].split(b"\n")
        at = 0
        for element in header.elements:
            columns[element.name], at, lines[element.name] = _ascii(
                path, rows, at, element, header.lines
            )
    points = np.stack([columns["vertex"][axis] for axis in "xyz"], axis=1).astype(np.float64)
    name = next(item for item in _LISTS if item in columns["face"])
    faces = columns["face"][name]
    return RawMesh(points, faces, lines.get("vertex", ()), lines.get("face", ()))


def _header(path: Path, content: bytes) -> _Header:
    if content[:3] != b"ply":
        raise DataError(f"{path}: not a PLY file: it begins with {content[:8]!r}, not with 'ply'")
    end = content.find(b"end_header", 0, _HEADER_LIMIT)
    stop = content.find(b"\n", end)
    if end < 0 or stop < 0:
        raise DataError(f"{path}: no 'end_header' in the first {_HEADER_LIMIT:,} bytes")
    order, elements = None, list[_Element]()
    text = content[:end].decode("ascii", errors="replace").split("\n")
    for place, line in enumerate(text[1:], start=2):
        words = line.split()
        if not words or words[0] in ("comment", "obj_info"):
            continue
        if words[0] == "format" and len(words) == 3 and words[1] in _FORMATS:
            order = _FORMATS[words[1]]
        elif words[0] == "element" and len(words) == 3:
            elements.append(_Element(words[1], whole_number(path, f"line {place}", words[2])))
        elif words[0] == "property" and elements:
            elements[-1].properties.append(_property(path, place, words))
        else:
            raise DataError(f"{path}, line {place}: cannot read {line.strip()[:60]!r} in a header")
    if order is None:
        raise DataError(f"{path}: the header names no format (ascii or binary)")
    header = _Header(order, elements, stop + 1, len(text))
    _check_elements(path, header)
    return header


def _property(path: Path, place: int, words: list[str]) -> tuple[str, ...]:
    types = words[2:4] if words[1:2] == ["list"] else words[1:2]
    unknown = [word for word in types if word not in _TYPES]
    if unknown or len(words) != len(types) + (3 if len(types) == 2 else 2):
        raise DataError(f"{path}, line {place}: cannot read the property {' '.join(words)[:60]!r}")
    if len(types) == 2:
        return words[4], _TYPES[types[1]], _TYPES[types[0]]
    return words[2], _TYPES[types[0]]


def _check_elements(path: Path, header: _Header) -> None:
    by_name = {element.name: element for element in header.elements}
    if len(by_name) < len(header.elements) or any(item.count < 0 for item in header.elements):
        raise DataError(f"{path}: the header names an element twice, or a negative count")
    for name in ("vertex", "face"):
        if name not in by_name:
            raise DataError(f"{path}: no element {name!r}; it has {', '.join(by_name) or 'none'}")
    scalars = {item[0] for item in by_name["vertex"].properties if len(item) == 2}
    if not {"x", "y", "z"} <= scalars:
        raise DataError(f"{path}: vertices have no properties x, y and z")
    if not any(len(item) == 3 and item[0] in _LISTS for item in by_name["face"].properties):
        raise DataError(f"{path}: faces have no list 'vertex_indices'")


def _binary(
    path: Path, content: bytes, at: int, element: _Element, order: str
) -> tuple[dict[str, Any], int]:
    if element.lists:
        return _binary_lists(path, content, at, element, order)
    dtype = np.dtype([(item[0], order + item[1]) for item in element.properties])
    stop = at + element.count * dtype.itemsize
    if stop > len(content):
        raise _short(path, element, (len(content) - at) // max(1, dtype.itemsize))
    rows = np.frombuffer(content, dtype, element.count, at) if element.count else np.empty(0, dtype)
    return {item[0]: rows[item[0]] for item in element.properties}, stop


def _binary_lists(
    path: Path, content: bytes, at: int, element: _Element, order: str
) -> tuple[dict[str, Any], int]:
    """All lists as long as those of the first row, which is fast, or one row after another."""
    uniform = _uniform(content, at, element, order)
    if uniform is not None:
        return uniform
    columns: dict[str, list[Any]] = {item[0]: [] for item in element.properties}
    for row in range(element.count):
        for name, kind, *counted in element.properties:
            count = 1
            if counted:
                head, at = _take(content, at, order + counted[0], 1)
                if head is None:
                    raise _short(path, element, row)
                count = int(head[0])
            values, at = _take(content, at, order + kind, count)
            if values is None:
                raise _short(path, element, row)
            columns[name].append(values.tolist() if counted else values[0])
    return columns, at


def _take(content: bytes, at: int, kind: str, count: int) -> tuple[NDArray[Any] | None, int]:
    dtype = np.dtype(kind)
    stop = at + count * dtype.itemsize
    if count < 0 or stop > len(content):
        return None, at
    return np.frombuffer(content, dtype, count, at) if count else np.empty(0, dtype), stop


def _uniform(
    content: bytes, at: int, element: _Element, order: str
) -> tuple[dict[str, Any], int] | None:
    if len(element.properties) != 1 or not element.count:
        return None
    name, kind, counted = element.properties[0]
    head, _ = _take(content, at, order + counted, 1)
    if head is None or not 3 <= int(head[0]) <= 64:
        return None
    dtype = np.dtype([("count", order + counted), ("items", order + kind, int(head[0]))])
    stop = at + element.count * dtype.itemsize
    if stop > len(content):
        return None
    rows = np.frombuffer(content, dtype, element.count, at)
    if (rows["count"] != head[0]).any():
        return None
    items = rows["items"].astype(np.int64)
    return {name: items if int(head[0]) == 3 else items.tolist()}, stop


def _ascii(
    path: Path, rows: list[bytes], at: int, element: _Element, header_lines: int
) -> tuple[dict[str, Any], int, range]:
    """Columns of the element, the row after it, and the line of each item.

    An item stands on a line of its own; blank lines are no items.
    """
    columns: dict[str, list[Any]] = {item[0]: [] for item in element.properties}
    start = at
    for index in range(element.count):
        if at >= len(rows) or not rows[at].strip():
            raise _short(path, element, index)
        place = f"line {header_lines + 1 + at}"
        words = rows[at].decode("ascii", errors="replace").split()
        for name, kind, *counted in element.properties:
            count = whole_number(path, place, words.pop(0)) if counted and words else 1
            if count < 0 or len(words) < count:
                raise DataError(f"{path}, {place}: {element.name} {index + 1} is cut short")
            taken, words = words[:count], words[count:]
            values = [_value(path, place, kind, word) for word in taken]
            columns[name].append(values if counted else values[0])
        at += 1
    first = header_lines + 1 + start
    return columns, at, range(first, first + element.count)


def _value(path: Path, place: str, kind: str, word: str) -> float:
    return number(path, place, word) if kind[0] == "f" else whole_number(path, place, word)


def _short(path: Path, element: _Element, found: int) -> DataError:
    return DataError(
        f"{path}: the file ends after {found:,} of {element.count:,} items of {element.name!r}; it "
        "was cut short"
    )
