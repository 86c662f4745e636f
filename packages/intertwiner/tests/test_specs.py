"""Records refuse what cannot be, when they are made and not when they are used."""

from __future__ import annotations

import dataclasses

import pytest

from intertwiner.errors import DeclarationError
from intertwiner.fields import GRAPH, Field, Scalar, Structure
from intertwiner.specs import ModelSpec, load_target

MODEL = ModelSpec(
    name="net",
    summary="a net",
    target="collections:OrderedDict",
    config="collections:Counter",
    reads=Structure.ATOMS,
    inputs=(),
    outputs=(Field("energy", GRAPH, Scalar()),),
    symmetry=None,
)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Net"},
        {"name": "a b"},
        {"name": ""},
        {"target": "no colon"},
        {"target": print},
        {"config": ":x"},
        {"reads": "atoms please"},
        {"inputs": ("pos",)},
        {"symmetry": "E(3)"},
    ],
)
def test_a_wrong_record_cannot_be_made(change):
    with pytest.raises(DeclarationError):
        dataclasses.replace(MODEL, **change)


def test_symmetry_must_be_written_even_when_there_is_none():
    values = {field.name: getattr(MODEL, field.name) for field in dataclasses.fields(MODEL)}
    del values["symmetry"]
    with pytest.raises(TypeError, match="symmetry"):
        ModelSpec(**values)


def test_records_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        MODEL.name = "other"


def test_an_import_string_gives_its_object():
    from collections import OrderedDict

    assert load_target("collections:OrderedDict") is OrderedDict
    assert load_target("collections:OrderedDict.fromkeys")("a")


def test_a_missing_attribute_is_named_and_a_missing_module_passes_through():
    with pytest.raises(DeclarationError, match="no 'Nothing'"):
        load_target("collections:Nothing")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        load_target("no_such_module:x")
