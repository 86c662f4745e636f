"""SMILES files: one molecule a line, then blanks and a name if it has one."""

from __future__ import annotations

from pathlib import Path

from rdkit import Chem
from torch_geometric.data import Data

from intertwiner.errors import DataError
from intertwiner_atoms.bonds import record_from_smiles, to_molecule
from intertwiner_atoms.config import SmilesConfig
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.text import numbered_lines

__all__ = ["SmilesReader"]


class SmilesReader:
    """Reads `.smi` into BONDS records. Blank lines at the end and lines from # on are passed over.

    Salts (several fragments) are kept and counted, as are molecules met before.
    """

    def __init__(self, config: SmilesConfig | None = None) -> None:
        self.config = config or SmilesConfig()

    def __call__(self, path: Path | str) -> list[Data]:
        """The records of the file; what was skipped is logged in one line."""
        records, report = self.read(path)
        report.tell()
        return records

    def read(self, path: Path | str) -> tuple[list[Data], ReadReport]:
        """The records of the file and the report.

        Raises `DataError` naming the line for a SMILES that is empty or invalid, by policy.
        """
        report, records, seen = ReadReport(Path(path)), list[Data](), set[str]()
        lines = list(numbered_lines(Path(path), self.config.max_bytes))
        while lines and not lines[-1][1].strip():
            lines.pop()
        for number, line in lines:
            if not line.startswith("#"):
                record = self._row(Path(path), number, line, report)
                if record is not None and self._is_wanted(record, seen, report):
                    records.append(record)
        if not records:
            raise DataError(f"{path}: no molecule could be read: {report.summary()}")
        report.records = len(records)
        report.atoms = sum(len(record.z) for record in records)
        return records, report

    def _row(self, path: Path, number: int, line: str, report: ReadReport) -> Data | None:
        smiles, _, name = line.strip().partition(" ") if " " in line else line.partition("\t")
        try:
            return record_from_smiles(smiles.strip(), name.strip() or f"{path.stem} {number}")
        except DataError as error:
            if self.config.invalid == "stop":
                raise DataError(
                    f"{path}, line {number}: {error}; correct it or set invalid=skip"
                ) from error
            report.count("invalid or empty rows skipped")
            return None

    def _is_wanted(self, record: Data, seen: set[str], report: ReadReport) -> bool:
        report.count("salts kept", "." in record.smiles)
        canonical = Chem.MolToSmiles(to_molecule(record))
        repeated = canonical in seen
        seen.add(canonical)
        skip = repeated and self.config.duplicates == "skip"
        report.count(f"duplicates {'skipped' if skip else 'kept'}", repeated)
        return not skip
