"""A set of molecules in figures. Every share is of all molecules given, none left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch_geometric.data import Data

from intertwiner_enflow.molecules.histograms import distance_divergence
from intertwiner_enflow.molecules.stability import Stability, stability
from intertwiner_enflow.molecules.validity import available, check_molecule

__all__ = ["MoleculeReport", "score_molecules"]


@dataclass(frozen=True, slots=True)
class MoleculeReport:
    """Counts of `molecules` scored.

    loose, strict: valid ones; unique: different SMILES among the loosely valid; novel: of those,
    not among the training molecules. All None without RDKit, `novel` also without training
    molecules. connected: loosely valid ones of one fragment. distances: Jensen-Shannon divergence
    of pair distances against `reference`, in nats.
    """

    molecules: int
    stability: Stability
    loose: int | None = None
    strict: int | None = None
    unique: int | None = None
    novel: int | None = None
    connected: int | None = None
    distances: float | None = None

    def lines(self) -> Iterable[str]:
        """The report as text, counts and denominators both."""
        found = self.stability
        yield f"stable atoms {_share(found.stable_atoms, found.atoms)}"
        yield f"stable molecules {_share(found.stable_molecules, self.molecules)}"
        for name in ("loose", "strict", "connected", "unique", "novel"):
            count = getattr(self, name)
            if count is not None:
                label = {"loose": "valid (loose)", "strict": "valid (strict)"}.get(name, name)
                yield f"{label} {_share(count, self.molecules)}"
        if self.distances is not None:
            yield f"pair distances: Jensen-Shannon {self.distances:.4f} nats"


def score_molecules(
    records: Sequence[Data],
    *,
    training: Sequence[Data] = (),
    reference: Sequence[Data] = (),
) -> MoleculeReport:
    """Scores `records` with `z` and `pos` (angstrom).

    training: molecules that are not novel. reference: true ones, for the distances. Without
    RDKit only stability and distances are found; the report says None for the rest.
    """
    distances = distance_divergence(records, reference) if reference else None
    stable = stability(records)
    if not available():
        return MoleculeReport(len(records), stable, distances=distances)
    checked = [check_molecule(record) for record in records]
    smiles = {one.smiles for one in checked if one.smiles is not None}
    known = {check_molecule(record).smiles for record in training}
    return MoleculeReport(
        molecules=len(records),
        stability=stable,
        loose=sum(one.loose for one in checked),
        strict=sum(one.strict for one in checked),
        unique=len(smiles),
        novel=len(smiles - known) if training else None,
        connected=sum(one.fragments == 1 for one in checked),
        distances=distances,
    )


def _share(count: int, total: int) -> str:
    return f"{100.0 * count / max(1, total):.2f} % ({count:,} of {total:,})"
