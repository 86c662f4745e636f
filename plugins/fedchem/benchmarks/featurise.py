"""SMILES to graphs: molecules in a second, against torch-geometric's converter.

Not like for like: theirs has nine columns for an atom and three for a bond, in a record.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch_geometric.utils import from_smiles

from intertwiner import load_dataset
from intertwiner.benchmark import Row, compare, main
from intertwiner_fedchem.data.featurise import featurise, parse

COUNT = 500


def measure(repeats: int) -> Iterator[Row]:
    """Molecules of the embedded set."""
    records = load_dataset("fedchem/gfn2-bonds").records
    smiles = [records[number].name for number in range(0, len(records), len(records) // COUNT)]

    def ours() -> None:
        for text in smiles:
            featurise(parse(text))

    def theirs() -> None:
        for text in smiles:
            from_smiles(text)

    yield compare(
        f"featurise {len(smiles)} SMILES", ours, theirs, against="from_smiles", repeats=repeats
    )


if __name__ == "__main__":
    main(__doc__ or "", measure)
