"""A dataset is what it declares, and each way not to be is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conformance_toys.data import synthetic_dimers
from conformance_toys.honest import intertwiner_datasets

from intertwiner.conformance.checks import datasets
from intertwiner.conformance.checks.records import same_records
from intertwiner.conformance.findings import NotCovered
from intertwiner.fields import GRAPH, Field, Irreps, Label, Scalar
from intertwiner.specs import Source

(DIMERS,) = intertwiner_datasets()


def spoilt(name: str):
    return replace(DIMERS, synthetic=f"conformance_toys.data:{name}")


def test_a_sound_dataset_passes():
    assert datasets.dataset_declaration(DIMERS) == []
    assert datasets.synthetic(DIMERS) == []
    assert datasets.embedded(DIMERS) == []


SPOILT = [
    ("double_energy", "energy", "torch.float64 in record dimer 0"),
    ("wide_energy", "energy", "shape (1, 1) in record dimer 0, must be (1,)"),
    ("no_labels", "energy", "missing (NaN) in every one of"),
    ("no_energy", "energy", "record dimer 0 has no such tensor"),
    ("leaking", "random", "2 records are in train and in test, the first is 0"),
    ("headless", "random", "part 'test' of the split is missing or empty"),
    ("unnamed_species", "z", "labels [8] occur and are not in species (1,)"),
    ("unseeded", "synthetic", "two calls with one seed"),
    ("deaf", "synthetic", "the seed changes nothing"),
]


@pytest.mark.parametrize(("name", "field", "said"), SPOILT, ids=[row[0] for row in SPOILT])
def test_every_way_to_spoil_a_dataset_is_named(name, field, said):
    findings = datasets.synthetic(spoilt(name))
    assert findings[0].field == field
    assert said in findings[0].what


def test_a_declared_split_that_is_missing_is_named():
    findings = datasets.synthetic(replace(DIMERS, splits=("random", "scaffold")))
    assert findings[0].field == "scaffold"


@pytest.mark.parametrize("rep", [Scalar(), Irreps("1o")])
def test_a_physical_target_without_a_unit_is_named(rep):
    spec = replace(DIMERS, targets=(Field("energy", GRAPH, rep),))
    (finding,) = datasets.dataset_declaration(spec)
    assert finding.field == "energy"
    assert "no unit" in finding.what


def test_a_class_needs_no_unit():
    spec = replace(DIMERS, targets=(Field("toxic", GRAPH, Label(2)),), default_targets=("toxic",))
    assert datasets.dataset_declaration(spec) == []


DECLARATIONS = [
    ({"default_targets": ("gap",)}, "default target is not among ['energy']"),
    ({"default_targets": ()}, "name what is learned by default"),
    ({"offline": False}, "no official address"),
    ({"source": (Source(url="u", filename="f", sha256=None),)}, "f has no SHA-256 and no note"),
]


@pytest.mark.parametrize(("changes", "said"), DECLARATIONS)
def test_a_declaration_that_leaves_something_out_is_named(changes, said):
    (finding,) = datasets.dataset_declaration(replace(DIMERS, **changes))
    assert said in finding.what


def test_a_dataset_that_needs_a_download_is_not_touched():
    spec = replace(DIMERS, offline=False, target="conformance_toys.absent:never_imported")
    with pytest.raises(NotCovered, match="needs a download"):
        datasets.embedded(spec)


def test_a_dataset_of_the_users_own_files_is_skipped_with_what_it_needs():
    with pytest.raises(NotCovered, match=r"data\.path: name a file"):
        datasets.embedded(replace(DIMERS, target="conformance_toys.data:own_files"))


def test_a_plain_list_is_not_a_dataset():
    findings = datasets.embedded(replace(DIMERS, target="builtins:repr"))
    assert "not an intertwiner.data.Dataset" in findings[0].what


def test_records_are_the_same_only_when_all_their_values_are():
    one, other = list(synthetic_dimers(4, 0)), list(synthetic_dimers(4, 0))
    assert same_records(one, other)
    other[2].pos[0, 0] += 1
    assert not same_records(one, other)
    assert not same_records(one, one[:3])
