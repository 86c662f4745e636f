"""Adapters give their fields, move with their input, and readers refuse nonsense by name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conformance_toys.honest import INPUTS, intertwiner_adapters

from intertwiner.conformance.checks.adapters import adapter
from intertwiner.conformance.findings import NotCovered
from intertwiner.fields import NODE, VOXEL, Field, Irreps, Scalar, Structure

(READER,) = intertwiner_adapters()
VECTORS = Field("pos", NODE, Irreps("1o"), "angstrom")


def variant(name: str, **changes):
    return replace(READER, target=f"conformance_toys.adapters:{name}", **changes)


def between(name: str, *adds: Field):
    return variant(name, takes=Structure.ATOMS, gives=Structure.COMPLEX, suffixes=(), adds=adds)


def test_a_reader_that_names_the_empty_file_passes():
    assert adapter(READER) == []


def test_a_reader_that_stumbles_over_an_empty_file_is_found():
    (finding,) = adapter(variant("careless_reader"))
    assert "an empty file ends in IndexError" in finding.what


def test_a_reader_that_takes_an_empty_file_for_nothing_is_found():
    (finding,) = adapter(variant("silent_reader"))
    assert "no error" in finding.what


def test_an_adapter_that_moves_with_its_input_passes():
    assert adapter(between("centred", VECTORS, INPUTS[1])) == []


def test_an_adapter_that_snaps_to_the_axes_is_found():
    (finding,) = adapter(between("snapped", VECTORS))
    assert finding.field == "pos"
    assert finding.error > finding.allowed


def test_an_adapter_to_volumes_turns_with_its_input():
    volume = Field("volume", VOXEL, Scalar(1), "1")
    for name, faults in (("drawn", 0), ("drawn_in_the_wrong_order", 1)):
        spec = replace(between(name, volume), gives=Structure.VOXELS)
        assert len(adapter(spec)) == faults


def test_an_adapter_without_its_field_is_found():
    (finding,) = adapter(between("forgetful", VECTORS))
    assert "declared in adds" in finding.what


def test_an_adapter_of_a_structure_without_a_kit_is_skipped_with_the_reason():
    with pytest.raises(NotCovered, match="what every record of voxels carries is not written"):
        adapter(replace(between("centred"), takes=Structure.VOXELS))


def test_an_adapter_with_a_missing_requirement_is_skipped_with_the_reason():
    with pytest.raises(NotCovered, match="needs absent_chemistry"):
        adapter(replace(READER, requires=("absent_chemistry",)))
