"""What the datasets say of themselves. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from intertwiner.fields import GRAPH, NODE, Field, Label, Point, Scalar, Structure
from intertwiner.specs import DatasetSpec

__all__ = ["dataset_specs"]

_PACKAGE: Final = "intertwiner_enflow.datasets"
_ENERGY: Final = Field("energy", GRAPH, Scalar(), "kT", "of the target, kT = 1")


def dataset_specs() -> Iterable[DatasetSpec]:
    """The three targets, generated on first use and kept, and molecules of one size."""
    yield _spec("dw4", "4 particles in the plane, double wells; exact ln Z; generated", 2)
    yield _spec("lj13", "13 Lennard-Jones particles, pair=half|double; generated", 3)
    yield _spec("lj55", "55 Lennard-Jones particles, pair=half|double; generated", 3)
    yield DatasetSpec(
        name="same-size",
        summary="Molecules of one size from another dataset: --data.of ID --data.atoms N",
        target=f"{_PACKAGE}.same_size:load",
        config=f"{_PACKAGE}.config:SameSizeConfig",
        gives=Structure.ATOMS,
        provides=(
            Field("pos", NODE, Point(), "angstrom"),
            Field("z", NODE, Label()),
        ),
        targets=(),
        default_targets=(),
        splits=("random",),
        licence="the other dataset's own",
        offline=True,
        synthetic=f"{_PACKAGE}.same_size:synthetic",
    )


def _spec(name: str, summary: str, dimension: int) -> DatasetSpec:
    config = "ParticlesConfig" if name == "dw4" else "LennardJonesConfig"
    return DatasetSpec(
        name=name,
        summary=summary,
        reference="arXiv:2006.02425",
        target=f"{_PACKAGE}.particles:load_{name}",
        config=f"{_PACKAGE}.config:{config}",
        gives=Structure.ATOMS,
        provides=(
            Field("pos", NODE, Point(dimension), "1", "in units of the pair potential"),
            Field("z", NODE, Label(), summary="0: the particles are alike"),
        ),
        targets=(_ENERGY,),
        default_targets=("energy",),
        splits=("random",),
        licence="MIT",
        size=15_000,
        offline=True,
        synthetic=f"{_PACKAGE}.particles:synthetic_{name}",
    )
