"""What this plugin brings: datasets of molecules, readers of structure files, conformers."""

from __future__ import annotations

from collections.abc import Iterable

from intertwiner.fields import Structure
from intertwiner.hookspecs import hookimpl
from intertwiner.specs import AdapterSpec, DatasetSpec, Source
from intertwiner_atoms.quantities import (
    ATOM_FIELDS,
    BOND_FIELDS,
    COMPLEX_FIELDS,
    GFN2_TARGETS,
    QM7_TARGETS,
    QM9_TARGETS,
)

_DATASETS = "intertwiner_atoms.datasets"
_CONFIG = "intertwiner_atoms.config"
_FIGSHARE = "https://ndownloader.figshare.com/files"
_FIGSHARE_NOTE = (
    "figshare documents an MD5 only; the SHA-256 is the one in the checksums of TensorFlow Datasets"
)

QM7_SOURCE = Source(
    url="http://quantum-machine.org/data/qm7.mat",
    filename="qm7.mat",
    sha256=None,
    note="no SHA-256 is documented; the loader checks shapes, counts and bond lengths instead",
)
QM9_SOURCES = (
    Source(
        url=f"{_FIGSHARE}/3195389",
        filename="dsgdb9nsd.xyz.tar.bz2",
        sha256="3a63848ac80691bdb8d41834b575afad345b9300d7a2db0c38adb7f6eaa8360c",
        note=_FIGSHARE_NOTE,
    ),
    Source(
        url=f"{_FIGSHARE}/3195404",
        filename="uncharacterized.txt",
        sha256="3aa5115d540b356de94791d4a74c3bf1ed91c469ecf52a4f5d7cc0506fe02e24",
        note=_FIGSHARE_NOTE,
    ),
    Source(
        url=f"{_FIGSHARE}/3195395",
        filename="atomref.txt",
        sha256="af739d4a0fbe894a56f346ad6045ee1b74c58f8a8c9ef3fbfed920c9ad8b00f9",
        note=_FIGSHARE_NOTE,
    ),
)


@hookimpl
def intertwiner_datasets() -> Iterable[DatasetSpec]:
    """The embedded `gfn2-small`, the official `qm7` and `qm9`, and a user's own molecules."""
    yield DatasetSpec(
        name="gfn2-small",
        summary="4,184 small molecules of H, C, N, O, F labelled with GFN2-xTB; embedded",
        reference="doi:10.1021/acs.jctc.8b01176",
        target=f"{_DATASETS}.gfn2_small:load",
        config=f"{_CONFIG}:Gfn2SmallConfig",
        gives=Structure.ATOMS,
        provides=ATOM_FIELDS,
        targets=GFN2_TARGETS,
        default_targets=("dipole",),
        splits=("random", "formula", "size"),
        licence="MIT",
        size=4184,
        offline=True,
        synthetic=f"{_DATASETS}.synthetic:gfn2_small",
    )
    yield DatasetSpec(
        name="npz-molecules",
        summary="Your own molecules in a npz file: --data.path FILE",
        target=f"{_DATASETS}.npz_molecules:load",
        config=f"{_CONFIG}:NpzConfig",
        gives=Structure.ATOMS,
        provides=ATOM_FIELDS,
        targets=GFN2_TARGETS,
        default_targets=("dipole",),
        licence="the file's own",
        offline=True,
        synthetic=f"{_DATASETS}.synthetic:npz_molecules",
    )
    yield from _downloaded()


def _downloaded() -> Iterable[DatasetSpec]:
    yield DatasetSpec(
        name="qm7",
        summary="7,165 molecules of H, C, N, O, S with PBE0 atomization energies",
        reference="doi:10.1103/PhysRevLett.108.058301",
        target=f"{_DATASETS}.qm7:load",
        config=f"{_CONFIG}:Qm7Config",
        gives=Structure.ATOMS,
        provides=ATOM_FIELDS,
        targets=QM7_TARGETS,
        default_targets=("atomization_energy",),
        licence="not stated by the source; cite Blum & Reymond 2009 and Rupp et al. 2012",
        size=7165,
        source=(QM7_SOURCE,),
        synthetic=f"{_DATASETS}.synthetic:qm7",
    )
    yield DatasetSpec(
        name="qm9",
        summary="130,831 molecules of H, C, N, O, F at B3LYP/6-31G(2df,p)",
        reference="doi:10.1038/sdata.2014.22",
        target=f"{_DATASETS}.qm9:load",
        config=f"{_CONFIG}:Qm9Config",
        gives=Structure.ATOMS,
        provides=ATOM_FIELDS,
        targets=QM9_TARGETS,
        default_targets=("mu",),
        licence="see the figshare page, doi:10.6084/m9.figshare.c.978904",
        size=130_831,
        source=QM9_SOURCES,
        synthetic=f"{_DATASETS}.synthetic:qm9",
    )


@hookimpl
def intertwiner_adapters() -> Iterable[AdapterSpec]:
    """Readers of structure files, and coordinates from bonds."""
    for name, summary, target, suffixes in (
        ("read-xyz", "XYZ and extended XYZ files", "xyz:XyzReader", (".xyz", ".extxyz")),
        ("read-pdb", "PDB files", "macromolecule:PdbReader", (".pdb", ".ent")),
        ("read-mmcif", "mmCIF files", "macromolecule:MmcifReader", (".cif", ".mmcif")),
        ("read-pdbqt", "PDBQT files of AutoDock and Vina", "pdbqt:PdbqtReader", (".pdbqt",)),
        ("read-sdf", "SDF and MOL files", "sdf:SdfReader", (".sdf", ".mol")),
        ("read-mol2", "MOL2 files", "mol2:Mol2Reader", (".mol2",)),
    ):
        yield AdapterSpec(
            name=name,
            summary=summary,
            target=f"intertwiner_atoms.readers.{target}",
            config=f"{_CONFIG}:ReadConfig",
            takes=Structure.FILE,
            gives=Structure.ATOMS,
            adds=ATOM_FIELDS,
            suffixes=suffixes,
        )
    yield AdapterSpec(
        name="read-complex",
        summary="Proteins with their ligands: a folder of complexes, or a CSV table of files",
        target="intertwiner_atoms.complexes.reader:ComplexReader",
        config=f"{_CONFIG}:ComplexConfig",
        takes=Structure.FILE,
        gives=Structure.COMPLEX,
        adds=COMPLEX_FIELDS,
        suffixes=(".csv", ".folder"),
    )
    yield AdapterSpec(
        name="read-smiles",
        summary="SMILES files: one molecule and its name a line",
        target="intertwiner_atoms.readers.smiles:SmilesReader",
        config=f"{_CONFIG}:SmilesConfig",
        takes=Structure.FILE,
        gives=Structure.BONDS,
        suffixes=(".smi",),
    )
    yield AdapterSpec(
        name="conformer",
        summary="Coordinates from bonds: ETKDG embedding relaxed with MMFF94 (RDKit)",
        reference="doi:10.1021/acs.jcim.5b00654",
        target="intertwiner_atoms.conformers:Conformer",
        config=f"{_CONFIG}:ConformerConfig",
        takes=Structure.BONDS,
        gives=Structure.ATOMS,
        needs=BOND_FIELDS,
        adds=ATOM_FIELDS,
    )
