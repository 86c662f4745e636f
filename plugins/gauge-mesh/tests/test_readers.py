"""Readers of mesh files: what they read is what was written, and bad files are named with place."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from intertwiner.errors import DataError
from intertwiner_gauge_mesh.datasets.triangulations import icosphere
from intertwiner_gauge_mesh.readers.base import MeshReader
from intertwiner_gauge_mesh.readers.config import MeshReadConfig
from intertwiner_gauge_mesh.readers.obj import ObjReader
from intertwiner_gauge_mesh.readers.off import OffReader
from intertwiner_gauge_mesh.readers.ply import PlyReader
from intertwiner_gauge_mesh.readers.stl import StlReader
from intertwiner_gauge_mesh.readers.vtk import VtkReader

POINTS, FACES = icosphere(1)
P = POINTS.float().numpy()
F = FACES.numpy().astype(int)
ROWS = "".join(f"{x:.9g} {y:.9g} {z:.9g}\n" for x, y, z in P)
TRIANGLES = "".join(f"3 {a} {b} {c}\n" for a, b, c in F)
PLY_HEAD = (
    "ply\nformat {order} 1.0\ncomment made here\nelement vertex {v}\nproperty float x\n"
    "property float y\nproperty float z\nelement face {f}\n"
    "property list uchar int vertex_indices\nend_header\n"
)


def off() -> bytes:
    return f"OFF # a comment\n\n{len(P)} {len(F)} 0\n{ROWS}{TRIANGLES}".encode()


def obj() -> bytes:
    rows = "".join(f"v {line}\n" for line in ROWS.splitlines())
    faces = "".join(f"f {a + 1}/1/1 {b + 1}//2 {c - len(P)}\n" for a, b, c in F)
    return f"# object\no sphere\n{rows}vn 0 0 1\ns off\n{faces}".encode()


def ply_ascii() -> bytes:
    return (PLY_HEAD.format(order="ascii", v=len(P), f=len(F)) + ROWS + TRIANGLES).encode()


def ply_binary(order: str = "<") -> bytes:
    name = {"<": "binary_little_endian", ">": "binary_big_endian"}[order]
    faces = b"".join(struct.pack(f"{order}B3i", 3, *map(int, face)) for face in F)
    head = PLY_HEAD.format(order=name, v=len(P), f=len(F)).encode()
    return head + P.astype(f"{order}f4").tobytes() + faces


def stl_binary() -> bytes:
    soup = b"".join(struct.pack("<3f", 0, 0, 0) + P[face].tobytes() + b"\0\0" for face in F)
    return b"solid but binary".ljust(80) + struct.pack("<I", len(F)) + soup


def stl_ascii() -> bytes:
    facets = []
    for face in F:
        corners = "".join("vertex {:.9g} {:.9g} {:.9g}\n".format(*P[corner]) for corner in face)
        facets.append(f"facet normal 0 0 0\nouter loop\n{corners}endloop\nendfacet\n")
    return f"solid sphere\n{''.join(facets)}endsolid sphere\n".encode()


def vtk_ascii() -> bytes:
    head = f"# vtk DataFile Version 3.0\nsphere\nASCII\nDATASET POLYDATA\nPOINTS {len(P)} float\n"
    return f"{head}{ROWS}POLYGONS {len(F)} {4 * len(F)}\n{TRIANGLES}POINT_DATA 0\n".encode()


def vtk_binary() -> bytes:
    head = f"# vtk DataFile Version 5.1\nsphere\nBINARY\nDATASET POLYDATA\nPOINTS {len(P)} float\n"
    offsets = np.arange(0, 3 * len(F) + 1, 3, dtype=">i8").tobytes()
    return b"".join(
        [
            head.encode(),
            P.astype(">f4").tobytes(),
            f"\nMETADATA\nINFORMATION 0\n\nPOLYGONS {len(F) + 1} {3 * len(F)}\n".encode(),
            b"OFFSETS vtktypeint64\n" + offsets + b"\n",
            b"CONNECTIVITY vtktypeint64\n" + F.astype(">i8").tobytes() + b"\n",
        ]
    )


CASES: list[tuple[str, type[MeshReader], Callable[[], bytes]]] = [
    ("sphere.off", OffReader, off),
    ("sphere.obj", ObjReader, obj),
    ("sphere.ply", PlyReader, ply_ascii),
    ("little.ply", PlyReader, ply_binary),
    ("big.ply", PlyReader, lambda: ply_binary(">")),
    ("binary.stl", StlReader, stl_binary),
    ("ascii.stl", StlReader, stl_ascii),
    ("ascii.vtk", VtkReader, vtk_ascii),
    ("binary.vtk", VtkReader, vtk_binary),
]


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("name", "reader", "content"), CASES, ids=[case[0] for case in CASES])
def test_a_written_mesh_is_read_again(
    tmp_path: Path, name: str, reader: type[MeshReader], content: Callable[[], bytes]
) -> None:
    (record,) = reader()(write(tmp_path, name, content()))
    assert record.name == name.split(".")[0]
    assert record.pos.dtype == torch.float32
    assert record.face.dtype == torch.int64
    corners = record.pos[record.face.T]
    assert torch.equal(corners, POINTS.float()[FACES])
    assert record.num_nodes == len(P)


@pytest.mark.fault("F21")
@pytest.mark.parametrize(("name", "reader", "content"), CASES, ids=[case[0] for case in CASES])
def test_files_that_are_no_meshes_are_refused_by_name(
    tmp_path: Path, name: str, reader: type[MeshReader], content: Callable[[], bytes]
) -> None:
    garbage = bytes(range(256)) * 40
    for bad in (
        b"",
        b"   \n" * 99,
        b"<!DOCTYPE html><html>not found</html>",
        garbage,
        b"\x1f\x8b0",
    ):
        with pytest.raises(DataError, match=name):
            reader()(write(tmp_path, name, bad))
    with pytest.raises(DataError, match="max_bytes"):
        reader(MeshReadConfig(max_bytes=50))(write(tmp_path, name, content()))
    with pytest.raises(DataError, match="cannot be read"):
        reader()(tmp_path / "absent" / name)


COUNTED = [case for case in CASES if case[1] is not ObjReader]


@pytest.mark.fault("F20")
@pytest.mark.parametrize(("name", "reader", "content"), COUNTED, ids=[c[0] for c in COUNTED])
def test_a_file_cut_short_anywhere_is_an_error(
    tmp_path: Path, name: str, reader: type[MeshReader], content: Callable[[], bytes]
) -> None:
    whole = content()
    last = len(whole) * 9 // 10
    for stop in range(1, last, max(1, last // 23)):
        with pytest.raises(DataError, match=name):
            reader()(write(tmp_path, name, whole[:stop]))


@pytest.mark.fault("F20")
@pytest.mark.parametrize("value", ["nan", "inf", "********", "1e999"])
@pytest.mark.parametrize(
    ("name", "reader", "content"),
    [case for case in CASES if case[0] in ("sphere.off", "sphere.obj", "sphere.ply", "ascii.vtk")],
)
def test_a_coordinate_that_is_no_finite_number_is_named_with_its_line(
    tmp_path: Path, name: str, reader: type[MeshReader], content: Callable[[], bytes], value: str
) -> None:
    first = ROWS.split("\n")[3]
    spoilt = content().decode().replace(first, " ".join([*first.split()[:2], value]))
    with pytest.raises(DataError) as caught:
        reader()(write(tmp_path, name, spoilt.encode()))
    line = 1 + spoilt[: spoilt.index(value)].count("\n")
    assert f"line {line}" in str(caught.value) or "vertex 4" in str(caught.value)


@pytest.mark.fault("F28")
def test_a_face_that_points_nowhere_is_named_with_its_line(tmp_path: Path) -> None:
    spoilt = off().decode().rstrip().rsplit("\n", 1)[0] + f"\n3 0 1 {len(P)}\n"
    with pytest.raises(DataError, match=rf"line \d+: face {len(F)} names a vertex"):
        OffReader()(write(tmp_path, "bad.off", spoilt.encode()))
    with pytest.raises(DataError, match="vertex 0; OBJ numbers vertices from 1"):
        ObjReader()(write(tmp_path, "bad.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n"))


@pytest.mark.fault("F28")
def test_a_cloud_of_points_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no faces"):
        OffReader()(write(tmp_path, "cloud.off", f"OFF\n{len(P)} 0 0\n{ROWS}".encode()))


def test_polygons_are_split_or_refused_and_strange_words_named(tmp_path: Path) -> None:
    square = b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\n"
    path = write(tmp_path, "square.obj", square)
    assert ObjReader()(path)[0].face.T.tolist() == [[0, 1, 2], [0, 2, 3]]
    with pytest.raises(DataError, match="line 5: face 1 has 4 corners"):
        ObjReader(MeshReadConfig(polygons="stop"))(path)
    with pytest.raises(DataError, match="line 6: 'hello'"):
        ObjReader()(write(tmp_path, "odd.obj", square + b"hello 1\n"))


def test_vertices_of_no_face_are_kept_or_dropped(tmp_path: Path) -> None:
    path = write(tmp_path, "loose.obj", b"v 9 9 9\nv 0 0 0\nv 1 0 0\nv 1 1 0\nf 2 3 4\n")
    assert ObjReader()(path)[0].num_nodes == 4
    dropped = ObjReader(MeshReadConfig(unreferenced="drop"))(path)[0]
    assert dropped.num_nodes == 3
    assert dropped.face.T.tolist() == [[0, 1, 2]]


def test_polydata_only_is_read_from_vtk(tmp_path: Path) -> None:
    grid = b"# vtk DataFile Version 3.0\nx\nASCII\nDATASET UNSTRUCTURED_GRID\n"
    with pytest.raises(DataError, match="only DATASET POLYDATA"):
        VtkReader()(write(tmp_path, "grid.vtk", grid))


def test_files_of_pyvista_are_read(tmp_path: Path) -> None:
    pyvista = pytest.importorskip("pyvista", reason="extra 'viz' is not installed")
    mesh = pyvista.Icosphere(nsub=1)
    for suffix, reader in ((".ply", PlyReader), (".stl", StlReader), (".vtk", VtkReader)):
        for binary in (True, False):
            path = tmp_path / f"sphere{suffix}"
            mesh.save(path, binary=binary)
            (record,) = reader()(path)
            expected = torch.from_numpy(mesh.points[mesh.faces.reshape(-1, 4)[:, 1:]]).float()
            torch.testing.assert_close(record.pos[record.face.T], expected, rtol=0, atol=1e-5)
