"""The fields of a molecular graph. Nothing here imports torch.

A record of the BONDS structure holds `num_nodes` atoms, without explicit hydrogens, and

    atom_code   [atoms]       everything the benchmark's 74 features say of an atom, as one number
    edge_index  [2, edges]    every bond twice, once in each direction, neighbouring columns
    bond_code   [edges]       everything the 13 features say of a bond, as one number

(`data.codes` and `data.features` turn codes to features). Beside its labels stand `scaffold` [1],
the number of the molecule's Bemis-Murcko scaffold, and `coarse_scaffold` [1], the number of a
wider group: both make groups for `--federation.group_by`.
"""

from __future__ import annotations

from typing import Final

from intertwiner.fields import EDGE, GRAPH, NODE, Field, Index, Label

__all__ = ["BOND_FIELDS", "GROUP_FIELDS"]

BOND_FIELDS: Final = (
    Field("atom_code", NODE, Label(), None, "element, degree, charge and so on, as one number"),
    Field("edge_index", EDGE, Index(of=NODE), None, "the two atoms of a bond"),
    Field("bond_code", EDGE, Label(), None, "order, conjugation, ring and stereo, as one number"),
)
GROUP_FIELDS: Final = (
    Field("scaffold", GRAPH, Label(), None, "number of the Bemis-Murcko scaffold"),
    Field("coarse_scaffold", GRAPH, Label(), None, "number of scaffolds alike in rings and size"),
)
