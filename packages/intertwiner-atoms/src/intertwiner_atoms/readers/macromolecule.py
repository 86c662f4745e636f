"""PDB and mmCIF files through gemmi: models, alternate places, waters, occupancies by policy."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from intertwiner.errors import DataError
from intertwiner_atoms.readers.altlocs import main_conformer
from intertwiner_atoms.readers.base import AtomsReader, title_of
from intertwiner_atoms.readers.mmcif_text import check_atom_site
from intertwiner_atoms.readers.pdb_text import check_pdb
from intertwiner_atoms.readers.raw_atoms import RawAtoms
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.sites import TOKENS, Labels, Sites, sites_of_gemmi
from intertwiner_atoms.readers.text import read_bytes

__all__ = ["MacromoleculeReader", "MmcifReader", "PdbReader"]


class MacromoleculeReader(AtomsReader):
    """What the formats of macromolecules share: atoms in residues, chains and models."""

    def raw_records(self, path: Path, report: ReadReport) -> Iterator[RawAtoms]:
        models = self.models(path, report)
        for number, sites in enumerate(models, start=1):
            yield self.raw(path, sites, f"model {number}" if len(models) > 1 else "")

    def raw(self, path: Path, sites: Sites, where: str) -> RawAtoms:
        """One model as validation takes it."""
        name = f"{title_of(path)} {where}".rstrip()
        return RawAtoms(path, name, where, TOKENS, Labels(sites), sites.pos, kind=sites.z)

    def models(self, path: Path, report: ReadReport) -> list[Sites]:
        """The models that policy keeps, each with the atoms that it keeps.

        Raises `DataError` for what the text or a policy refuses.
        """
        kept = self._wanted_models(path, self.tables(path, report), report)
        return [self.chosen(path, sites, report) for sites in kept]

    @abstractmethod
    def tables(self, path: Path, report: ReadReport) -> list[Sites]:
        """All atoms of every model of a file whose text was checked."""

    def _wanted_models(self, path: Path, models: list[Sites], report: ReadReport) -> list[Sites]:
        if len(models) > 1 and self.config.models != "all":
            if self.config.models == "stop":
                raise DataError(
                    f"{path}: {len(models)} models; set models=first or models=all to read it"
                )
            report.count("models dropped", len(models) - 1)
            return models[:1]
        return models

    def chosen(self, path: Path, sites: Sites, report: ReadReport) -> Sites:
        """The sites that policy keeps, in the file's order."""
        kept = main_conformer(sites)
        if not kept.all() and self.config.altlocs == "stop":
            row = int(np.argmax(sites.altloc != 0))
            raise DataError(
                f"{path}, {sites.label(row)}: its residue has alternate places; set "
                "altlocs=highest to keep those of highest occupancy"
            )
        report.count("altlocs dropped", int((~kept).sum()))
        water = kept & sites.water
        verb = "kept" if self.config.waters == "keep" else "dropped"
        report.count(f"water atoms {verb}", int(water.sum()))
        if verb == "dropped":
            kept &= ~water
        kept = self._occupied(path, sites, kept, report)
        return sites if kept.all() else sites.take(kept)

    def _occupied(self, path: Path, sites: Sites, kept: Any, report: ReadReport) -> Any:
        empty = kept & (sites.occupancy == 0)
        policy = self.config.zero_occupancy
        if policy == "stop" and empty.any():
            raise DataError(
                f"{path}, {sites.label(int(np.argmax(empty)))}: occupancy 0; set "
                "zero_occupancy=keep or drop"
            )
        verb = "kept" if policy == "keep" else "dropped"
        report.count(f"atoms of zero occupancy {verb}", int(empty.sum()))
        return kept & ~empty if verb == "dropped" else kept


class PdbReader(MacromoleculeReader):
    """Reads `.pdb` and `.ent`; serials and residue numbers may be hybrid-36."""

    def tables(self, path: Path, report: ReadReport) -> list[Sites]:
        text = check_pdb(path, self.config.max_bytes, report)
        structure = _parsed(path, lambda: gemmi.read_pdb_string(text.data))
        models = sites_of_gemmi(_parsed(path, lambda: gemmi.FlatStructure(structure)))
        found = sum(map(len, models))
        if found != text.atoms:
            raise DataError(f"{path}: {text.atoms} atom lines, of which gemmi reads {found}")
        return [_with_elements(sites, text.inferred) for sites in models]


class MmcifReader(MacromoleculeReader):
    """Reads `.cif` and `.mmcif` of the PDB (not small-molecule CIF in fractional coordinates)."""

    def tables(self, path: Path, report: ReadReport) -> list[Sites]:
        data = read_bytes(path, self.config.max_bytes)
        document = _parsed(path, lambda: gemmi.cif.read_string(data))
        if not len(document):
            raise DataError(f"{path}: no data block: not an mmCIF file")
        blocks = [block for block in document if block.find_values("_atom_site.Cartn_x")]
        block = blocks[0] if blocks else document[0]
        rows = check_atom_site(path, block)
        report.count("further data blocks dropped", max(0, len(blocks) - 1))
        structure = _parsed(path, lambda: gemmi.make_structure_from_block(block))
        models = sites_of_gemmi(_parsed(path, lambda: gemmi.FlatStructure(structure)))
        found = sum(map(len, models))
        if found != rows:
            raise DataError(f"{path}: {rows} rows of _atom_site, of which gemmi reads {found}")
        return models


def _parsed(path: Path, parse: Callable[[], Any]) -> Any:
    try:
        return parse()
    except (ValueError, RuntimeError, IndexError, OSError, TypeError) as error:
        message = " ".join(str(error).split())
        raise DataError(f"{path}: gemmi cannot read it: {message}") from error


def _with_elements(sites: Sites, inferred: dict[tuple[bytes, bytes], int]) -> Sites:
    """The sites with the elements of the atoms whose element column is empty."""
    if not inferred:
        return sites
    pairs = zip(sites.residue_name.tolist(), sites.name.tolist(), strict=True)
    known = sites.z.tolist()
    z = [inferred.get(pair, number) for pair, number in zip(pairs, known, strict=True)]
    return replace(sites, z=np.array(z, dtype=np.int64))
