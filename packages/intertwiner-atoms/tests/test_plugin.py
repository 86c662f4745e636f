"""The declaration is light, whole, and true."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import intertwiner_atoms
from intertwiner.errors import DataError
from intertwiner.fields import Structure
from intertwiner.readers import read_file
from intertwiner.registry import Plugin, Registry
from intertwiner.registry.discovery import Claim
from intertwiner.registry.isolation import load_plugin
from intertwiner.specs import load_target
from intertwiner_atoms import _plugin
from intertwiner_atoms.readers.any_file import SUFFIXES

HEAVY = ("torch", "numpy", "rdkit", "gemmi", "scipy", "vesin")


@pytest.mark.parametrize(
    "module", ["intertwiner_atoms", "intertwiner_atoms._plugin", "intertwiner_atoms.config"]
)
def test_declaring_imports_nothing_heavy(module: str) -> None:
    code = (
        f"import sys, {module}; found = [m for m in {HEAVY} if m in sys.modules];"
        "list(getattr(sys.modules[%r], 'intertwiner_adapters', list)()); print(found)" % module
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_plugin_is_found_by_its_entry_point() -> None:
    (point,) = (p for p in entry_points(group="intertwiner") if p.name == "atoms")
    assert point.load() is _plugin


@pytest.mark.parametrize(
    "spec",
    [*_plugin.intertwiner_datasets(), *_plugin.intertwiner_adapters()],
    ids=lambda spec: spec.name,
)
def test_everything_declared_can_be_imported_and_configured(spec: object) -> None:
    config = load_target(spec.config)()  # type: ignore[attr-defined]
    assert callable(load_target(spec.target))  # type: ignore[attr-defined]
    assert config is not None


def test_an_adapter_is_made_from_its_config_and_the_suffixes_agree() -> None:
    readers = {}
    for spec in _plugin.intertwiner_adapters():
        assert callable(load_target(spec.target)(load_target(spec.config)()))
        if (spec.takes, spec.gives) == (Structure.FILE, Structure.ATOMS):
            readers |= dict.fromkeys(spec.suffixes, spec.target.partition("readers.")[2])
    assert readers == SUFFIXES


def test_every_target_has_a_unit_and_every_default_exists() -> None:
    for spec in _plugin.intertwiner_datasets():
        assert all(field.unit for field in spec.targets)
        assert set(spec.default_targets) <= {field.name for field in spec.targets}


def test_a_source_without_digest_says_why_and_all_are_whole_addresses() -> None:
    sources = [source for spec in _plugin.intertwiner_datasets() for source in spec.source]
    assert len(sources) == 4
    for source in sources:
        assert source.url.startswith(("https://", "http://"))
        assert source.note
        assert source.sha256 is None or len(source.sha256) == 64


def test_every_public_name_is_there() -> None:
    for name in intertwiner_atoms.__all__:
        assert getattr(intertwiner_atoms, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = intertwiner_atoms.nothing


def test_a_folder_and_a_table_of_complexes_are_read_through_the_registry(
    write: Callable[[str, str], Path],
) -> None:
    folder = write("table.csv", "protein,ligand\nprotein.pdb,ligand.xyz\n").parent
    atom = "ATOM      1  CA  GLY A   1       3.000   0.000   0.000  1.00 10.00           C\n"
    write("protein.pdb", atom)
    write("ligand.xyz", "1\n\nN 0 0 0\n")
    write("ligand.sdf", "")
    plugin = load_plugin(Claim("atoms", "intertwiner_atoms._plugin", "intertwiner-atoms", "0.1.0"))
    assert isinstance(plugin, Plugin)
    registry = Registry([plugin])
    (record,) = read_file(registry, folder / "table.csv", Structure.COMPLEX)
    assert record.part.tolist() == [1, 0]
    with pytest.raises(DataError, match="ligand.sdf: the file is empty"):
        read_file(registry, folder, Structure.COMPLEX)
