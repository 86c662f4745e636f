"""A user's file is read by the reader of its suffix, and through adapters where one is needed."""

from __future__ import annotations

import dataclasses

import pytest

from intertwiner.errors import DataError
from intertwiner.fields import Structure
from intertwiner.readers import read_file
from intertwiner.registry import Plugin, Registry
from intertwiner.specs import AdapterSpec


@pytest.fixture
def points(tmp_path):
    path = tmp_path / "two.POINTS"
    path.write_text("0 0 0\n1 0 0\n")
    return path


def with_adapters(registry: Registry, *specs: AdapterSpec) -> Registry:
    (plugin,) = registry.plugins
    reader = plugin.entries("adapters")[0]
    entries = tuple(dataclasses.replace(reader, spec=spec) for spec in specs)
    records = {**plugin.records, "adapters": entries}
    return Registry([Plugin(plugin.name, plugin.distribution, plugin.version, "", records)])


def test_the_suffix_chooses_the_reader_whatever_its_case(registry, points):
    (record,) = read_file(registry, points, Structure.ATOMS)
    assert record.num_nodes == 2
    assert record.name == "two"


def test_a_file_of_another_structure_goes_through_an_adapter(registry, points):
    reader = dataclasses.replace(registry.adapters[0].spec, gives=Structure.BONDS)
    shift = AdapterSpec(
        name="shift",
        summary="",
        target="toy_plugin.data:Shift",
        config="toy_plugin.config:NoSettings",
        takes=Structure.BONDS,
        gives=Structure.ATOMS,
    )
    (record,) = read_file(with_adapters(registry, reader, shift), points, Structure.ATOMS)
    assert record.pos[:, 0].tolist() == [1.0, 2.0]
    with pytest.raises(DataError, match=r"reads \.points files as atoms"):
        read_file(with_adapters(registry, reader), points, Structure.ATOMS)


def test_a_file_nobody_reads_is_refused_with_what_is_read(registry, tmp_path):
    with pytest.raises(DataError, match=r"\.abc files as atoms; files that are read: \.points"):
        read_file(registry, tmp_path / "x.abc", Structure.ATOMS)
    with pytest.raises(DataError, match="such files.*install intertwiner-atoms"):
        read_file(Registry([]), tmp_path / "x", Structure.ATOMS)


def test_a_packed_file_has_the_suffix_of_what_is_in_it_and_a_folder_one_of_its_own(
    registry, tmp_path
):
    with pytest.raises(DataError, match=r"\.abc files as atoms"):
        read_file(registry, tmp_path / "x.abc.GZ", Structure.ATOMS)
    with pytest.raises(DataError, match=r"\.folder files as atoms"):
        read_file(registry, tmp_path, Structure.ATOMS)
