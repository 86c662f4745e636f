"""The fields of a molecular graph. Nothing here imports torch.

A record of the BONDS structure holds `num_nodes` atoms, without explicit hydrogens, and

    atom_code   [atoms]       everything the benchmark's 74 features say of an atom, as one number
    edge_index  [2, edges]    every bond twice, once in each direction, neighbouring columns
    bond_code   [edges]       everything the 13 features say of a bond, as one number

(`data.codes` and `data.features` turn codes to features), with `scaffold` [1], the number of the
molecule's Bemis-Murcko scaffold, beside its labels.
"""

from __future__ import annotations

from typing import Final

from intertwiner.fields import EDGE, GRAPH, NODE, Field, Index, Label

__all__ = ["BOND_FIELDS", "SCAFFOLD"]

BOND_FIELDS: Final = (
    Field("atom_code", NODE, Label(), None, "element, degree, charge and so on, as one number"),
    Field("edge_index", EDGE, Index(of=NODE), None, "the two atoms of a bond"),
    Field("bond_code", EDGE, Label(), None, "order, conjugation, ring and stereo, as one number"),
)
SCAFFOLD: Final = Field("scaffold", GRAPH, Label(), None, "number of the Bemis-Murcko scaffold")
