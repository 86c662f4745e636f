"""What records of complexes hold. No torch here."""

from __future__ import annotations

from typing import Final

from intertwiner.fields import GRAPH, NODE, Field, Label, Point, Scalar

__all__ = ["AFFINITY", "COMPLEX_FIELDS", "FREE_ENERGY"]

COMPLEX_FIELDS: Final = (
    Field("pos", NODE, Point(), "angstrom"),
    Field("z", NODE, Label()),
    Field("part", NODE, Label(2), None, "0 for atoms of the protein, 1 for those of the ligand"),
)
AFFINITY: Final = Field("pK", GRAPH, Scalar(), "pK", "-log10(K / M)")
FREE_ENERGY: Final = Field("dG", GRAPH, Scalar(), "kcal/mol", "-RT ln 10 pK at 298.15 K")
