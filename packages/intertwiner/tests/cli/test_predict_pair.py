"""`predict` with a protein and its ligands in two files."""

from __future__ import annotations

from pathlib import Path

import pytest

from intertwiner.errors import DataError
from intertwiner.fields import Structure
from intertwiner.readers import complex_reader
from intertwiner.registry import Entry
from intertwiner.specs import AdapterSpec


class PairReader:
    """A reader with `poses`."""

    def __init__(self, config: object) -> None:
        self.config = config

    def poses(self, protein: Path, ligands: Path, **options: object) -> tuple[object, ...]:
        return protein, ligands, options


class Plain:
    def __init__(self, config: object) -> None:
        self.config = config


class Settings:
    pass


class Registry:
    def __init__(self, *targets: str) -> None:
        self.adapters = [
            Entry(
                plugin="toy",
                distribution="toy",
                version="0",
                spec=AdapterSpec(
                    name=f"reader-{number}",
                    summary="",
                    target=f"{__name__}:{target}",
                    config=f"{__name__}:Settings",
                    takes=Structure.FILE,
                    gives=Structure.COMPLEX,
                    suffixes=(".x",),
                ),
            )
            for number, target in enumerate(targets)
        ]


def test_the_first_reader_that_takes_two_files_is_found() -> None:
    found = complex_reader(Registry("Plain", "PairReader"))  # type: ignore[arg-type]
    assert type(found).__name__ == "PairReader"


def test_without_one_the_error_says_what_to_install() -> None:
    with pytest.raises(DataError, match="pip install intertwiner-atoms"):
        complex_reader(Registry("Plain"))  # type: ignore[arg-type]
