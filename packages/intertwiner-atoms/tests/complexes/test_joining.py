"""A complex does not depend on how its files happen to be written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gemmi
import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdkit import Chem

from intertwiner_atoms import read_complex

Bench = Any
FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)


@FIXTURE
@given(seed=st.integers(0, 999), shift=st.floats(-200, 200))
def test_moving_both_files_moves_the_record_and_nothing_else(
    bench: Bench, seed: int, shift: float
) -> None:
    random = np.random.default_rng(seed)
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    here, _ = read_complex(bench.protein(), bench.ligand())

    def moved(place: tuple[float, float, float]) -> tuple[float, ...]:
        return tuple((np.array(place) @ turn + shift).tolist())

    sites = [replace(site, place=moved(site.place)) for site in bench.sites]
    from_sdf = [("C", (0.0, 0.0, 0.1)), ("C", (1.4, 0.0, 0.2)), ("N", (0.0, 1.4, 0.3))]
    from_sdf += [("O", (-1.4, 0.0, 0.4)), ("S", (0.0, -1.7, 0.5)), ("H", (0.0, 0.0, 1.2))]
    atoms = [(element, moved(place)) for element, place in from_sdf]
    there, _ = read_complex(
        bench.protein(sites=sites, name="p.pdb"), bench.ligand(atoms, name="l.sdf")
    )
    assert torch.equal(here.z, there.z)
    assert torch.equal(here.residue, there.residue)
    expected = here.pos.double().numpy() @ turn + shift
    assert np.abs(there.pos.double().numpy() - expected).max() < 2e-3


@FIXTURE
@given(order=st.permutations(range(8)))
def test_the_order_of_residues_in_the_file_is_that_of_the_record(
    bench: Bench, order: list[int]
) -> None:
    sites = [bench.sites[4 * residue + k] for residue in order for k in range(4)]
    here, _ = read_complex(bench.protein(), bench.ligand())
    there, _ = read_complex(bench.protein(sites=sites, name="p.pdb"), bench.ligand())
    rows = [5 + 4 * residue + k for residue in order for k in range(4)]
    assert torch.equal(there.pos[5:], here.pos[rows])


def test_every_pair_of_formats_gives_the_same_complex(bench: Bench) -> None:
    protein, ligand = bench.protein(), bench.ligand()
    expected, _ = read_complex(protein, ligand)
    structure = gemmi.read_pdb(str(protein))
    structure.setup_entities()
    bench.write("protein.cif", structure.make_mmcif_document().as_string())
    bench.write("protein.pdbqt", as_pdbqt(protein.read_text().splitlines()))
    molecule = Chem.MolFromMolFile(str(ligand), sanitize=False, removeHs=False)
    bench.write("ligand.pdb", Chem.MolToPDBBlock(molecule))
    bench.write("ligand.pdbqt", as_pdbqt(Chem.MolToPDBBlock(molecule).splitlines()))
    bench.write("ligand.xyz", Chem.MolToXYZBlock(molecule))
    bench.write("ligand.mol2", as_mol2(molecule))
    bench.write("v3000.sdf", Chem.MolToV3KMolBlock(molecule, kekulize=False) + "$$$$\n")
    for receptor in ("protein.pdb", "protein.cif", "protein.pdbqt"):
        for pose in (
            "ligand.sdf",
            "ligand.mol2",
            "ligand.pdbqt",
            "ligand.pdb",
            "ligand.xyz",
            "v3000.sdf",
        ):
            record, _ = read_complex(bench.folder / receptor, bench.folder / pose)
            assert torch.equal(record.z, expected.z), (receptor, pose)
            assert torch.allclose(record.pos, expected.pos, atol=2e-3)
            assert torch.equal(record.residue, expected.residue)


def as_pdbqt(lines: list[str]) -> str:
    types = {"O": "OA", "N": "NA", "S": "SA", "H": "HD"}
    rows = []
    for line in lines:
        if line.startswith(("ATOM", "HETATM")):
            element = line[76:78].strip()
            rows.append(f"{line[:66]:<66}    {0.0:6.3f} {types.get(element, element):<2}")
    return "\n".join(rows) + "\n"


def as_mol2(molecule: Any) -> str:
    rows = []
    for index, (x, y, z) in enumerate(molecule.GetConformer().GetPositions(), start=1):
        symbol = molecule.GetAtomWithIdx(index - 1).GetSymbol()
        rows.append(f"{index} {symbol}{index} {x:.4f} {y:.4f} {z:.4f} {symbol}.3 1 LIG 0.0\n")
    head = f"@<TRIPOS>MOLECULE\nlig\n {len(rows)} 0 0 0 0\nSMALL\nNO_CHARGES\n\n@<TRIPOS>ATOM\n"
    return head + "".join(rows)
