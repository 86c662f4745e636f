"""PDB and mmCIF files through gemmi: models, alternate places, waters, occupancies by policy."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from intertwiner.errors import DataError
from intertwiner_atoms.readers.base import AtomsReader
from intertwiner_atoms.readers.pdb_text import check_atom_site, check_pdb
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.text import check_text
from intertwiner_atoms.readers.validation import RawAtoms

__all__ = ["MmcifReader", "PdbReader"]


@dataclass(frozen=True, slots=True)
class _Site:
    """One atom line: gemmi's atom with where it belongs."""

    chain: str
    residue: Any
    atom: Any

    @property
    def label(self) -> str:
        residue = f"{self.chain}/{self.residue.name} {self.residue.seqid}"
        altloc = f".{self.atom.altloc}" if self.atom.has_altloc() else ""
        return f"atom {residue}/{self.atom.name}{altloc} (serial {self.atom.serial})"


class _MacromoleculeReader(AtomsReader):
    """What PDB and mmCIF share once gemmi has parsed them."""

    def raw_records(self, path: Path, report: ReadReport) -> Iterator[RawAtoms]:
        models = self._models(path, self._structure(path, report), report)
        for number, model in enumerate(models, start=1):
            where = f"model {number}" if len(models) > 1 else ""
            name = f"{path.stem} {where}".rstrip()
            sites = self._chosen(path, _sites(model), report)
            yield RawAtoms(
                file=path,
                name=name,
                where=where,
                tokens=[_token(site) for site in sites],
                labels=[site.label for site in sites],
                pos=np.array([site.atom.pos.tolist() for site in sites]).reshape(-1, 3),
            )

    @abstractmethod
    def _structure(self, path: Path, report: ReadReport) -> Any:
        """gemmi's structure of a file whose text was checked."""

    def _models(self, path: Path, structure: Any, report: ReadReport) -> list[Any]:
        models = list(structure)
        if len(models) > 1 and self.config.models != "all":
            if self.config.models == "stop":
                raise DataError(
                    f"{path}: {len(models)} models; set models=first or models=all to read it"
                )
            report.count("models dropped", len(models) - 1)
            return models[:1]
        return models

    def _chosen(self, path: Path, sites: Iterable[_Site], report: ReadReport) -> list[_Site]:
        """The sites that policy keeps, in the file's order."""
        kept = []
        for _, group in groupby(sites, key=lambda site: (site.chain, str(site.residue.seqid))):
            kept += self._one_place_each(path, list(group), report)
        return [site for site in kept if self._is_wanted(path, site, report)]

    def _one_place_each(self, path: Path, residue: list[_Site], report: ReadReport) -> list[_Site]:
        chosen = _main_conformer(residue)
        if len(chosen) < len(residue):
            if self.config.altlocs == "stop":
                raise DataError(
                    f"{path}, {residue[0].label}: its residue has alternate places; set "
                    "altlocs=highest to keep those of highest occupancy"
                )
            report.count("altlocs dropped", len(residue) - len(chosen))
        return chosen

    def _is_wanted(self, path: Path, site: _Site, report: ReadReport) -> bool:
        if site.residue.is_water():
            verb = "kept" if self.config.waters == "keep" else "dropped"
            report.count(f"water atoms {verb}")
            if verb == "dropped":
                return False
        if site.atom.occ == 0:
            if self.config.zero_occupancy == "stop":
                raise DataError(
                    f"{path}, {site.label}: occupancy 0; set zero_occupancy=keep or drop"
                )
            verb = "kept" if self.config.zero_occupancy == "keep" else "dropped"
            report.count(f"atoms of zero occupancy {verb}")
            return verb == "kept"
        return True


class PdbReader(_MacromoleculeReader):
    """Reads `.pdb` and `.ent`; serials and residue numbers may be hybrid-36."""

    def _structure(self, path: Path, report: ReadReport) -> Any:
        lines = check_pdb(path, self.config.max_bytes, report)
        structure = _parsed(path, lambda: gemmi.read_pdb(str(path)))
        found = sum(model.count_atom_sites() for model in structure)
        if found != lines:
            raise DataError(f"{path}: {lines} atom lines, of which gemmi reads {found}")
        return structure


class MmcifReader(_MacromoleculeReader):
    """Reads `.cif` and `.mmcif` of the PDB (not small-molecule CIF in fractional coordinates)."""

    def _structure(self, path: Path, report: ReadReport) -> Any:
        check_text(path, self.config.max_bytes)
        document = _parsed(path, lambda: gemmi.cif.read(str(path)))
        blocks = [block for block in document if block.find_values("_atom_site.Cartn_x")]
        block = blocks[0] if blocks else document[0]
        rows = check_atom_site(path, block)
        report.count("further data blocks dropped", max(0, len(blocks) - 1))
        structure = _parsed(path, lambda: gemmi.make_structure_from_block(block))
        found = sum(model.count_atom_sites() for model in structure)
        if found != rows:
            raise DataError(f"{path}: {rows} rows of _atom_site, of which gemmi reads {found}")
        return structure


def _parsed(path: Path, parse: Any) -> Any:
    try:
        return parse()
    except (ValueError, RuntimeError, IndexError, OSError) as error:
        message = " ".join(str(error).split())
        raise DataError(f"{path}: gemmi cannot read it: {message}") from error


def _sites(model: Any) -> Iterator[_Site]:
    for chain in model:
        for residue in chain:
            for atom in residue:
                yield _Site(chain.name, residue, atom)


def _token(site: _Site) -> str:
    """The element's symbol; "X" where the file names none that gemmi knows."""
    return str(site.atom.element.name)


def _main_conformer(residue: list[_Site]) -> list[_Site]:
    """Of a residue's atoms one place each: those of the letter with most occupancy, and where an
    atom has no place of that letter, its place of highest occupancy.
    """
    weight: dict[str, float] = defaultdict(float)
    for site in residue:
        if site.atom.has_altloc():
            weight[site.atom.altloc] += site.atom.occ
    if not weight:
        return residue
    letter = max(weight, key=lambda each: weight[each])
    kind = next(site.residue.name for site in residue if site.atom.altloc == letter)
    best: dict[str, _Site] = {}
    for site in residue:
        if site.atom.has_altloc() and site.residue.name == kind:
            known = best.setdefault(site.atom.name, site)
            if _rank(site, letter) > _rank(known, letter):
                best[site.atom.name] = site
    chosen = {id(site) for site in best.values()}
    return [site for site in residue if not site.atom.has_altloc() or id(site) in chosen]


def _rank(site: _Site, letter: str) -> tuple[bool, float]:
    return site.atom.altloc == letter, site.atom.occ
