"""A folder of structure files and its split."""

from __future__ import annotations

import pytest
import torch

from intertwiner_steerable3d.data.config import PropensityData
from intertwiner_steerable3d.data.folder import read_folder, read_split
from intertwiner_steerable3d.data.made_up import helix
from intertwiner_steerable3d.data.propensity import load
from intertwiner_steerable3d.data.proteins import AMINO_ACIDS
from intertwiner_steerable3d.errors import InvalidInput, VoxelWarning

pytest.importorskip("gemmi", reason="needs gemmi: pip install gemmi")


def write_helix(path, seed):
    made = helix("h", 6, torch.Generator().manual_seed(seed))
    lines = []
    for row, (place, owner) in enumerate(
        zip(made.pos.tolist(), made.residue.tolist(), strict=True)
    ):
        name = ("N", "CA", "C", "O", "CB")[row % 5]
        x, y, z = place
        kind = AMINO_ACIDS[int(made.amino_acid[owner])]
        lines.append(
            f"ATOM  {row + 1:5d}  {name:<3s} {kind} A{owner + 1:4d}    {x:8.3f}{y:8.3f}{z:8.3f}"
            f"{1.0:6.2f}{0.0:6.2f}          {name[0]:>2s}"
        )
    path.write_text("\n".join([*lines, "END", ""]))


@pytest.fixture
def folder(tmp_path):
    for number in range(4):
        write_helix(tmp_path / f"p{number}.pdb", number)
    return tmp_path


def split_file(folder, text):
    path = folder / "split.txt"
    path.write_text(text)
    return path


def test_files_are_split_as_the_file_says(folder):
    lines = "p0 train c0\np1 train c0\n# a remark\np2 validation c2\np3 test c3\n"
    path = split_file(folder, lines)
    proteins, split = read_folder(folder, str(path))
    assert proteins.names == ("p0", "p1", "p2", "p3")
    assert split.part.tolist() == [0, 0, 1, 2]
    assert split.cluster.tolist() == [0, 0, 1, 2]
    dataset = load(
        PropensityData(path=str(folder), split_file=str(path), side=7, step=2.0, sigma=1.6)
    )
    assert [len(dataset.part(name, "cluster")) for name in ("train", "test")] == [12, 6]


def test_without_a_split_file_names_decide_and_a_warning_says_so(folder):
    with pytest.warns(VoxelWarning, match="similar proteins may be in training and test"):
        _, split = read_folder(folder)
    assert sorted(split.part.tolist()) == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p0 train\np1 exam\n", "line 2"),
        ("p0 train\n", r"no line for p1 \(3 are missing\)"),
        ("p0 train c\np1 test c\np2 train\np3 train\n", "cluster c of p1 is in more than one"),
    ],
)
def test_split_files_that_do_not_fit_are_refused(folder, text, message):
    with pytest.raises(InvalidInput, match=message):
        read_split(split_file(folder, text), ("p0", "p1", "p2", "p3"))


@pytest.mark.fault("F21")
def test_a_broken_file_is_left_out_and_named(folder):
    (folder / "p9.pdb").write_text("<html>not found</html>")
    with pytest.warns(VoxelWarning, match=r"1 of 5 files are left out.*p9\.pdb"):
        proteins, _ = read_folder(
            folder, str(split_file(folder, "\n".join(f"p{number} train" for number in range(4))))
        )
    assert len(proteins.names) == 4


def test_two_files_of_one_name_and_an_empty_folder_are_refused(folder, tmp_path_factory):
    write_helix(folder / "p0.ent", 9)
    with pytest.raises(InvalidInput, match="more than one file is named p0"):
        read_folder(folder)
    with pytest.raises(InvalidInput, match="no protein can be read"):
        read_folder(tmp_path_factory.mktemp("empty"))
