"""All small molecules of C, N, O and F that three editing steps can reach.

A molecule with n heavy atoms becomes one with n + 1 by attaching an atom where a hydrogen sits.
Within a level, closing rings and raising bond orders reach the rest. Molecules travel as canonical
SMILES: the set of strings is the state, so the result does not depend on the order of editing.
"""

from collections.abc import Callable, Iterable, Iterator

from rdkit import Chem

from .filters import reason_to_reject

Edit = Callable[[Chem.Mol], Iterator[Chem.RWMol]]

ATTACHED_ELEMENTS = ("C", "N", "O", "F")
FIRST_LEVEL = frozenset(ATTACHED_ELEMENTS)
RING_CLOSURE_DISTANCES = range(2, 7)
MOST_RINGS = 3
_NEXT_ORDER = {
    Chem.BondType.SINGLE: Chem.BondType.DOUBLE,
    Chem.BondType.DOUBLE: Chem.BondType.TRIPLE,
}


def canonical(molecule: Chem.Mol) -> str:
    """Return RDKit's canonical SMILES of a sanitised molecule, hydrogens implicit."""
    return str(Chem.MolToSmiles(molecule))


def next_level(accepted: Iterable[str]) -> set[str]:
    """Return every molecule one heavy atom larger, before filtering.

    Rejected molecules are passed through while a level is closed, because some good ones
    (tetrazole) are reached only over a bad one (an open chain of four nitrogens).
    """
    seeds = {grown for smiles in accepted for grown in _edit(smiles, attachments)}
    return _closed_under_unsaturation(seeds)


def accepted_only(level: Iterable[str]) -> list[str]:
    """Return the molecules that no filter rejects, in sorted order."""
    return sorted(s for s in level if reason_to_reject(Chem.MolFromSmiles(s)) is None)


def attachments(molecule: Chem.Mol) -> Iterator[Chem.RWMol]:
    """Replace one hydrogen by C, N, O or, on carbon only, F."""
    for atom in _atoms_with_hydrogen(molecule):
        for element in ATTACHED_ELEMENTS:
            if element == "F" and atom.GetSymbol() != "C":
                continue
            edited = Chem.RWMol(molecule)
            new = edited.AddAtom(Chem.Atom(element))
            edited.AddBond(atom.GetIdx(), new, Chem.BondType.SINGLE)
            yield edited


def ring_closures(molecule: Chem.Mol) -> Iterator[Chem.RWMol]:
    """Join two atoms two to six bonds apart, at the cost of one hydrogen each."""
    if molecule.GetRingInfo().NumRings() >= MOST_RINGS:
        return
    distances = Chem.GetDistanceMatrix(molecule)
    indices = [atom.GetIdx() for atom in _atoms_with_hydrogen(molecule)]
    for first in indices:
        for second in indices:
            if first < second and int(distances[first, second]) in RING_CLOSURE_DISTANCES:
                edited = Chem.RWMol(molecule)
                edited.AddBond(first, second, Chem.BondType.SINGLE)
                yield edited


def raised_bonds(molecule: Chem.Mol) -> Iterator[Chem.RWMol]:
    """Raise one bond order by one, up to three, at the cost of one hydrogen each."""
    for bond in molecule.GetBonds():
        ends_have_hydrogen = (
            bond.GetBeginAtom().GetTotalNumHs() and bond.GetEndAtom().GetTotalNumHs()
        )
        order = _NEXT_ORDER.get(bond.GetBondType())
        if order is not None and ends_have_hydrogen:
            edited = Chem.RWMol(molecule)
            edited.GetBondWithIdx(bond.GetIdx()).SetBondType(order)
            yield edited


def _closed_under_unsaturation(seeds: set[str]) -> set[str]:
    seen = set(seeds)
    frontier = seen
    while frontier:
        reached = {s for smiles in frontier for s in _edit(smiles, ring_closures, raised_bonds)}
        frontier = reached - seen
        seen |= frontier
    return seen


def _edit(smiles: str, *edits: Edit) -> Iterator[str]:
    """Yield the canonical SMILES of every result of the given editing steps."""
    molecule = Chem.MolFromSmiles(smiles)
    Chem.Kekulize(molecule, clearAromaticFlags=True)
    for edit in edits:
        for edited in edit(molecule):
            for atom in edited.GetAtoms():
                # Aromatic N-H pins its hydrogen; released, it counts as any other.
                atom.SetNoImplicit(False)
                atom.SetNumExplicitHs(0)
            Chem.SanitizeMol(edited)
            # Read once more: aromaticity found on a string's own Kekule form is the canonical one.
            yield canonical(Chem.MolFromSmiles(canonical(edited)))


def _atoms_with_hydrogen(molecule: Chem.Mol) -> list[Chem.Atom]:
    return [atom for atom in molecule.GetAtoms() if atom.GetTotalNumHs() > 0]
