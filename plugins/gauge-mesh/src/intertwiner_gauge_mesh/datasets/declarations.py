"""The datasets this plugin brings. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from intertwiner.fields import (
    FACE,
    GRAPH,
    VERTEX,
    Field,
    Index,
    Irreps,
    Label,
    Point,
    Scalar,
    Structure,
)
from intertwiner.specs import DatasetSpec, Source

__all__ = ["CARRIED", "MESH", "datasets"]

_PACKAGE: Final = "intertwiner_gauge_mesh.datasets"
MESH: Final = (Field("pos", VERTEX, Point()), Field("face", FACE, Index(of=VERTEX)))
CARRIED: Final = (
    Field("u", VERTEX, Scalar(), "1", "a scalar on the surface"),
    Field("v", VERTEX, Irreps("1o"), "1", "a tangential velocity"),
)


def datasets() -> Iterable[DatasetSpec]:
    """Generated surfaces with exact ground truth, and readers of users' own files."""
    yield from _generated()
    yield from _supplied()


def _generated() -> Iterable[DatasetSpec]:
    yield DatasetSpec(
        name="bumpy-advection",
        summary="How a scalar changes in a flow on bumpy spheres and tori; exact, generated",
        target=f"{_PACKAGE}.advection:load",
        config=f"{_PACKAGE}.config:AdvectionConfig",
        gives=Structure.MESH,
        provides=(*MESH, *CARRIED),
        targets=(
            Field("advection", VERTEX, Scalar(), "1", "-v.grad u"),
            Field("gradient", VERTEX, Irreps("1o"), "1", "tangential gradient of u"),
        ),
        default_targets=("advection",),
        splits=("random", "remeshed", "jittered"),
        licence="MIT",
        offline=True,
        synthetic=f"{_PACKAGE}.advection:synthetic",
    )
    yield DatasetSpec(
        name="bumpy-curvature",
        summary="Directions of curvature of bumpy spheres and tori from noisy meshes; generated",
        target=f"{_PACKAGE}.curvature:load",
        config=f"{_PACKAGE}.config:CurvatureConfig",
        gives=Structure.MESH,
        provides=MESH,
        targets=(
            Field("principal", VERTEX, Irreps("2e"), "1", "directions, see the dataset's page"),
            Field("shape_tensor", VERTEX, Irreps("0e+2e"), "1", "the whole shape tensor in space"),
            Field("mean_curvature", VERTEX, Scalar(), "1", "half the sum of the curvatures"),
        ),
        default_targets=("principal",),
        splits=("random", "remeshed", "jittered"),
        licence="MIT",
        offline=True,
        synthetic=f"{_PACKAGE}.curvature:synthetic",
    )
    yield DatasetSpec(
        name="embedded-digits",
        summary="Handwritten digits on bent grids, at will rough; needs the extra 'digits'",
        reference="arXiv:2003.05425",
        target=f"{_PACKAGE}.digits:load",
        config=f"{_PACKAGE}.config:RoughDigitsConfig",
        gives=Structure.MESH,
        provides=(*MESH, Field("ink", VERTEX, Scalar(), "1", "darkness of the image")),
        targets=(Field("digit", GRAPH, Label(10), summary="the digit that was written"),),
        default_targets=("digit",),
        licence="images: scikit-learn, BSD-3-Clause",
        size=1797,
        source=(
            Source(
                url="https://scikit-learn.org",
                filename="scikit-learn",
                sha256=None,
                note="the images come with the Python package, whose installer checks it",
            ),
        ),
        synthetic=f"{_PACKAGE}.digits:synthetic",
    )


def _supplied() -> Iterable[DatasetSpec]:
    yield DatasetSpec(
        name="rna-surface",
        summary="Surfaces of 5S ribosomal RNA, a functional label per vertex; your own copy",
        reference="arXiv:1906.11555",
        target=f"{_PACKAGE}.rna:load",
        config=f"{_PACKAGE}.config:RnaConfig",
        gives=Structure.MESH,
        provides=MESH,
        targets=(
            Field("nucleotide", VERTEX, Label(260), summary="column of the alignment, plus 1"),
        ),
        default_targets=("nucleotide",),
        splits=("official", "similar", "dissimilar"),
        licence="MIT",
        size=683,
        source=(
            Source(
                url="https://github.com/nmwsharp/RNA-Surface-Segmentation-Dataset",
                filename="RNA-Surface-Segmentation-Dataset",
                sha256=None,
                note="a folder of files, given with --data.path; their form is checked on reading",
            ),
        ),
        synthetic=f"{_PACKAGE}.rna:synthetic",
    )
    yield DatasetSpec(
        name="faust",
        summary="Correspondence of 100 scans of people; your own MPI-FAUST.zip",
        reference="doi:10.1109/CVPR.2014.491",
        target=f"{_PACKAGE}.faust:load",
        config=f"{_PACKAGE}.config:FaustConfig",
        gives=Structure.MESH,
        provides=MESH,
        targets=(Field("correspondence", VERTEX, Label(6890), summary="vertex of the template"),),
        default_targets=("correspondence",),
        splits=("official",),
        licence="not redistributable; registration at the official site",
        size=100,
        source=(
            Source(
                url="https://faust-leaderboard.is.tuebingen.mpg.de",
                filename="MPI-FAUST.zip",
                sha256=None,
                note="no SHA-256 is published; names, counts and sizes of the scans are checked",
            ),
        ),
        synthetic=f"{_PACKAGE}.faust:synthetic",
    )
