"""The datasets of this plugin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from intertwiner.fields import GRAPH, Field, Scalar, Structure
from intertwiner.specs import DatasetSpec
from intertwiner_fedchem.data.moleculenet_files import FILES
from intertwiner_fedchem.fields import BOND_FIELDS, GROUP_FIELDS

__all__ = ["DATASETS", "GFN2_TARGETS"]

_DATA: Final = "intertwiner_fedchem.data"
_CONFIG: Final = "intertwiner_fedchem.config"
_COMMON: Final[dict[str, Any]] = {
    "gives": Structure.BONDS,
    "provides": (*BOND_FIELDS, *GROUP_FIELDS),
    "splits": ("random", "scaffold", "official"),
    "offline": True,
}
GFN2_TARGETS: Final = (
    Field("gap", GRAPH, Scalar(), "eV", "lowest empty less highest occupied orbital, GFN2-xTB"),
    Field("dipole_magnitude", GRAPH, Scalar(), "debye", "length of the dipole moment, GFN2-xTB"),
)


def _moleculenet() -> Iterator[DatasetSpec]:
    for file in FILES:
        loader = f"{_DATA}.moleculenet:{file.name.upper()}"
        yield DatasetSpec(
            name=file.name,
            summary=f"{file.title}; {file.filename} of your own: --data.path FILE",
            reference="arXiv:1703.00564",
            target=f"{loader}.load",
            config=f"{_CONFIG}:MoleculeNetConfig",
            targets=file.targets,
            default_targets=tuple(field.name for field in file.targets),
            licence="check upstream: the sources of MoleculeNet have terms of their own",
            size=file.rows,
            synthetic=f"{loader}.synthetic",
            **_COMMON,
        )


DATASETS: Final[tuple[DatasetSpec, ...]] = (
    DatasetSpec(
        name="gfn2-bonds",
        summary="4,184 small molecules as graphs of bonds with GFN2-xTB labels; embedded",
        reference="doi:10.1021/acs.jctc.8b01176",
        target=f"{_DATA}.gfn2_bonds:load",
        config=f"{_CONFIG}:BondsConfig",
        targets=GFN2_TARGETS,
        default_targets=("gap",),
        licence="MIT",
        size=4184,
        synthetic=f"{_DATA}.gfn2_bonds:synthetic",
        **_COMMON,
    ),
    *_moleculenet(),
)
