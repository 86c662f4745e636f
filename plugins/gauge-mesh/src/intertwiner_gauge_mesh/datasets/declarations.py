"""The datasets this plugin brings. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from intertwiner.fields import FACE, VERTEX, Field, Index, Irreps, Point, Scalar, Structure
from intertwiner.specs import DatasetSpec

__all__ = ["CARRIED", "MESH", "datasets"]

_PACKAGE: Final = "intertwiner_gauge_mesh.datasets"
MESH: Final = (Field("pos", VERTEX, Point()), Field("face", FACE, Index(of=VERTEX)))
CARRIED: Final = (
    Field("u", VERTEX, Scalar(), "1", "a scalar on the surface"),
    Field("v", VERTEX, Irreps("1o"), "1", "a tangential velocity"),
)


def datasets() -> Iterable[DatasetSpec]:
    """Generated surfaces with exact ground truth."""
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
        splits=("random", "remeshed"),
        licence="MIT",
        offline=True,
        synthetic=f"{_PACKAGE}.advection:synthetic",
    )
    yield DatasetSpec(
        name="bumpy-curvature",
        summary="Principal curvatures of bumpy spheres and tori from noisy meshes; exact, generated",
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
        splits=("random", "remeshed"),
        licence="MIT",
        offline=True,
        synthetic=f"{_PACKAGE}.curvature:synthetic",
    )
