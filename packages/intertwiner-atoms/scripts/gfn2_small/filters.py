"""Which enumerated molecules are kept: named rules against structures that would not survive.

A rule says what it *rejects*. Most are SMARTS patterns; ring and cage rules need ring perception.
Patterns that may meet an aromatic bond name it explicitly, because an unmarked SMARTS bond
between ``*`` atoms means "single or aromatic" only.
"""

from collections.abc import Callable
from dataclasses import dataclass

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

LARGEST_RING = 7


@dataclass(frozen=True)
class Filter:
    """A named rule; ``rejects`` is true for molecules that must not enter the data set."""

    name: str
    rejects: Callable[[Chem.Mol], bool]


def _any_of(*smarts: str) -> Callable[[Chem.Mol], bool]:
    patterns = [Chem.MolFromSmarts(text) for text in smarts]

    def rejects(molecule: Chem.Mol) -> bool:
        return any(molecule.HasSubstructMatch(pattern) for pattern in patterns)

    return rejects


def _has_large_ring(molecule: Chem.Mol) -> bool:
    return any(len(ring) > LARGEST_RING for ring in molecule.GetRingInfo().AtomRings())


def _has_bridgehead_double_bond(molecule: Chem.Mol) -> bool:
    """Two rings that share more than one bond meet at a bridgehead, which cannot be planar."""
    bridgeheads: list[int] = []
    # RDKit fills the list it is given; its type stub names another, private type.
    rdMolDescriptors.CalcNumBridgeheadAtoms(molecule, atoms=bridgeheads)  # type: ignore[arg-type]
    return any(
        bond.GetBondType() != Chem.BondType.SINGLE
        for index in bridgeheads
        for bond in molecule.GetAtomWithIdx(index).GetBonds()
    )


def _has_cage_atom(molecule: Chem.Mol) -> bool:
    """Report an atom shared by three rings of at most four atoms (tetrahedrane, propellanes)."""
    small_rings = [ring for ring in molecule.GetRingInfo().AtomRings() if len(ring) <= 4]
    return any(
        sum(atom.GetIdx() in ring for ring in small_rings) >= 3 for atom in molecule.GetAtoms()
    )


FILTERS: tuple[Filter, ...] = (
    Filter("oxygen-oxygen bond", _any_of("[#8]~[#8]")),
    Filter("fluorine on a heteroatom", _any_of("[F]-[!#6]")),
    Filter("dinitrogen", _any_of("[NX1]#[NX1]")),
    Filter(
        "chain of three nitrogens or oxygens outside a five-ring",
        _any_of(
            "[#7,#8;!$([#7,#8]1~[#7,#8]~*~*~[#7,#8]~1)](~[#7,#8])~[#7,#8]",
            "[#7](~[#7,#8])(~[#7,#8])~[#7,#8]",
        ),
    ),
    Filter("cumulated double bonds", _any_of("*=*=*")),
    Filter(
        "double bond in a ring of three or four",
        _any_of("*1=,:*~*1", "*1=,:*~*~*1"),
    ),
    Filter("triple bond in a ring", _any_of("*#@*")),
    Filter("double bond at a bridgehead", _has_bridgehead_double_bond),
    Filter("enol or ynol", _any_of("C=,#C[OX2H]")),
    Filter("imine or diazene with hydrogen on nitrogen", _any_of("[#6,#7]=[NX2H]")),
    Filter("gem-diol or hemiaminal", _any_of("[CX4]([OX2H])[OX2H]", "[CX4]([OX2H])[NX3]")),
    Filter(f"ring of more than {LARGEST_RING}", _has_large_ring),
    Filter("cage of three small rings at one atom", _has_cage_atom),
)


def reason_to_reject(molecule: Chem.Mol) -> str | None:
    """Return the name of the first filter that rejects a sanitised molecule, or ``None``."""
    return next((rule.name for rule in FILTERS if rule.rejects(molecule)), None)
