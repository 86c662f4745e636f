"""Makes the embedded `gfn2_bonds.npz` from the dataset `atoms/gfn2-small` (needs RDKit):

python scripts/make_gfn2_bonds.py src/intertwiner_fedchem/data/gfn2_bonds.npz
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from intertwiner import load_dataset
from intertwiner_fedchem.data.csv_table import Table
from intertwiner_fedchem.data.from_smiles import from_table
from intertwiner_fedchem.data.gfn2_bonds import pack
from intertwiner_fedchem.declarations.datasets import GFN2_TARGETS

TARGETS = [field.name for field in GFN2_TARGETS]


def main(path: Path) -> None:
    source = load_dataset("atoms/gfn2-small", geometry="equilibrium", targets=TARGETS)
    labels = [[float(record[name]) for name in TARGETS] for record in source]
    table = Table(tuple(record.name for record in source), np.array(labels))
    molecules = from_table(table, TARGETS, "gfn2-small", "stop")
    pack(path, molecules)
    print(f"{path}: {len(molecules.names)} molecules, {path.stat().st_size} bytes")
    print(
        f"{len(np.unique(molecules.scaffold))} scaffolds, {molecules.identity.max() + 1} distinct"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
