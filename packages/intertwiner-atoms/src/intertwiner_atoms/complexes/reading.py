"""`read_complex`: a protein's file and a ligand's file as one record."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intertwiner.config import build
from intertwiner_atoms.complexes.chemistry import check_smiles, derived_smiles
from intertwiner_atoms.complexes.joining import ComplexArrays, join
from intertwiner_atoms.complexes.ligand import Ligand, only_ligand
from intertwiner_atoms.complexes.receptor import Receptor, read_receptor
from intertwiner_atoms.complexes.report import ComplexReport
from intertwiner_atoms.config import ComplexConfig

if TYPE_CHECKING:
    from torch_geometric.data import Data

__all__ = ["as_record", "complex_of", "read_complex", "with_policies"]


def read_complex(
    protein: Path | str | Receptor,
    ligand: Path | str | Ligand,
    config: ComplexConfig | None = None,
    *,
    smiles: str = "",
    name: str = "",
    **policies: Any,
) -> tuple[Data, ComplexReport]:
    """The COMPLEX record of a protein and a ligand, and what was done on the way.

    protein: a PDB, mmCIF or PDBQT file, or a `Receptor` that was read before. ligand: an SDF,
    MOL2, PDBQT, PDB or XYZ file with one record (or `ligand_index`), or a `Ligand`.
    smiles: what the ligand is; its heavy atoms must be those of the pose.
    policies: settings of `ComplexConfig` by name, such as `waters="drop"`.

    The record has pos [atoms, 3] float32 in angstrom, z [atoms], part [atoms] (0 protein,
    1 ligand), residue [atoms] (0 for the ligand, then 1, 2, ... in the protein), residue_names
    (list of str, by residue), smiles and name; the ligand's atoms come first.

    Raises `DataError` naming file, atom, value and remedy; `ConfigError` for an unknown policy.
    """
    config = with_policies(config, policies)
    receptor = protein if isinstance(protein, Receptor) else read_receptor(protein, config)
    pose = ligand if isinstance(ligand, Ligand) else only_ligand(ligand, config)
    arrays, report = complex_of(receptor, pose, config, smiles=smiles, name=name)
    return as_record(arrays), report


def with_policies(config: ComplexConfig | None, policies: dict[str, Any]) -> ComplexConfig:
    """`config` with some settings changed, every one checked."""
    config = config or ComplexConfig()
    try:
        return _built(config, tuple(sorted(policies.items())))
    except TypeError:  # a value that is not hashable is no right one either
        return build(ComplexConfig, asdict(config) | policies)


@lru_cache(maxsize=64)
def _built(config: ComplexConfig, policies: tuple[tuple[str, Any], ...]) -> ComplexConfig:
    return build(ComplexConfig, asdict(config) | dict(policies)) if policies else config


def complex_of(
    receptor: Receptor,
    ligand: Ligand,
    config: ComplexConfig,
    *,
    smiles: str = "",
    name: str = "",
) -> tuple[ComplexArrays, ComplexReport]:
    """The complex as arrays, without torch."""
    if smiles:
        check_smiles(ligand, smiles)
    report = ComplexReport(name or ligand.name, receptor.report, ligand.report, dict(vars(config)))
    if config.derive_smiles and not smiles:
        smiles, reason = derived_smiles(ligand)
        report.notes += [f"SMILES unavailable: {reason}"] if reason else []
    return join(receptor, ligand, config, report, smiles), report


def as_record(arrays: ComplexArrays) -> Data:
    """The record of a complex."""
    import torch  # not at the top: worker processes read files without it
    from torch_geometric.data import Data

    record = Data()
    store = record.stores[0]  # quicker than Data(**values)
    for field in ("pos", "z", "part", "residue"):
        store[field] = torch.from_numpy(getattr(arrays, field))
    store["residue_names"] = arrays.residue_names
    store["smiles"] = arrays.smiles
    store["name"] = arrays.name
    return record
