"""The datasets this plugin brings. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from intertwiner.fields import GRAPH, VOXEL, Field, Label, Scalar, Structure
from intertwiner.specs import DatasetSpec, Source
from intertwiner_steerable3d.data.widths import COUNTS

__all__ = ["datasets"]

_PACKAGE: Final = "intertwiner_steerable3d.data"
RESIDUE: Final = Field("residue", GRAPH, Label(20), summary="amino acid, ALA to VAL")


def datasets() -> Iterable[DatasetSpec]:
    """Generated pieces, and readers of proteins of the user's own."""
    yield DatasetSpec(
        name="tetris",
        summary="Eight pieces at random rotations, unseen ones in the test; generated",
        reference="arXiv:1807.02547",
        target=f"{_PACKAGE}.tetris:load",
        config=f"{_PACKAGE}.config:TetrisData",
        gives=Structure.VOXELS,
        provides=(_volume(1, "occupancy"),),
        targets=(Field("piece", GRAPH, Label(8), summary="which piece it is"),),
        default_targets=("piece",),
        splits=("random", "unrotated"),
        licence="MIT",
        offline=True,
        synthetic=f"{_PACKAGE}.tetris:synthetic",
    )
    yield DatasetSpec(
        name="propensity",
        summary="Which amino acid was here, from what is around it: --data.path FILE or FOLDER",
        reference="arXiv:1807.02547",
        target=f"{_PACKAGE}.propensity:load",
        config=f"{_PACKAGE}.config:PropensityData",
        gives=Structure.VOXELS,
        provides=(
            _volume(4, "C, N, O and S around the residue"),
            Field("counts", GRAPH, Scalar(COUNTS), "1", "log(1 + atoms) in shells and cells"),
        ),
        targets=(RESIDUE,),
        default_targets=("residue",),
        splits=("cluster",),
        licence="coordinates: wwPDB, CC0; the list of complexes: Apache-2.0",
        size=122442,
        source=(
            Source(
                url="https://github.com/haddocking/BM5-clean",
                filename="bm5_unbound.npz",
                sha256="84a3e3fe0fe1f98f5f6ff44654dffbbc9854e3adf7b9265aa0d6e82af6357ee3",
                note="arrays of the unbound partners; any folder of .pdb and .cif files serves too",
            ),
        ),
        offline=True,
        synthetic=f"{_PACKAGE}.propensity:synthetic",
    )
    yield DatasetSpec(
        name="cath",
        summary="CATH architectures from C-alpha atoms; your own download: --data.path FILE",
        reference="arXiv:1807.02547",
        target=f"{_PACKAGE}.cath:load",
        config=f"{_PACKAGE}.config:CathData",
        gives=Structure.VOXELS,
        provides=(_volume(1, "C-alpha atoms"),),
        targets=(
            Field("architecture", GRAPH, Label(10), summary="of the set of 10"),
            Field("topology", GRAPH, Label(20), summary="of the set of 20"),
            Field("fold_class", GRAPH, Label(3), summary="of the set of 3"),
        ),
        default_targets=("architecture",),
        splits=("folds",),
        licence="CC-BY-4.0",
        size=7110,
        source=(
            Source(
                url="https://github.com/deepfold/cath_datasets",
                filename="cath_10arch_ca.npz",
                sha256=None,
                note="no digest is published; the arrays are checked on reading",
            ),
        ),
        offline=True,
        synthetic=f"{_PACKAGE}.cath:synthetic",
    )
    yield DatasetSpec(
        name="atom3d-residues",
        summary="ATOM3D residue identity; your own download: --data.path FOLDER, extra 'atom3d'",
        reference="arXiv:2012.04035",
        target=f"{_PACKAGE}.atom3d:load",
        config=f"{_PACKAGE}.config:Atom3dData",
        gives=Structure.VOXELS,
        provides=(_volume(4, "C, N, O and S around the residue"),),
        targets=(RESIDUE,),
        default_targets=("residue",),
        splits=("topology",),
        licence="CC-BY-4.0",
        size=4661580,
        source=(
            Source(
                url="https://zenodo.org/record/5026743",
                filename="RES-split-by-cath-topology-indices.tar.gz",
                sha256=None,
                note="about 12 GB, given with --data.path; the records are checked on reading",
            ),
        ),
        offline=True,
        synthetic=f"{_PACKAGE}.atom3d:synthetic",
    )


def _volume(channels: int, summary: str) -> Field:
    return Field("volume", VOXEL, Scalar(channels), "1", summary)
