"""Pairs are matched from what is declared, and a pair that does not run says why."""

from __future__ import annotations

import dataclasses

import pytest

from intertwiner.errors import ConfigError
from intertwiner.fields import ANY_NAME, GRAPH, NODE, Field, Irreps, Label, Point, Scalar, Structure
from intertwiner.matching import compatible, match, select_targets
from intertwiner.registry import Entry
from intertwiner.specs import AdapterSpec, DatasetSpec, ModelSpec

POS = Field("pos", NODE, Point(), "angstrom")
Z = Field("z", NODE, Label())
ENERGY = Field("energy", GRAPH, Scalar(), "eV")
DIPOLE = Field("dipole", GRAPH, Irreps("1x1o"), "debye")
COMMON = {"summary": "", "target": "a:b", "config": "a:c"}


def entry(spec):
    return Entry("here", "dist", "1", spec)


MODEL = ModelSpec(
    name="net",
    reads=Structure.ATOMS,
    inputs=(POS, Z),
    outputs=(Field(ANY_NAME, GRAPH, Scalar()),),
    symmetry=None,
    **COMMON,
)
DATASET = DatasetSpec(
    name="set",
    gives=Structure.ATOMS,
    provides=(POS, Z),
    targets=(ENERGY, DIPOLE),
    default_targets=("dipole", "energy"),
    licence="MIT",
    synthetic="a:d",
    **COMMON,
)


def adapter(name, takes, gives, adds=(), needs=()):
    spec = AdapterSpec(name=name, takes=takes, gives=gives, adds=adds, needs=needs, **COMMON)
    return entry(spec)


def found(model=MODEL, dataset=DATASET, adapters=()):
    return match(entry(model), entry(dataset), adapters)


def test_a_pair_runs_on_the_targets_the_model_can_give():
    pair = found()
    assert pair.runs
    assert pair.targets == (ENERGY,)
    assert compatible(pair.model, pair.dataset) == []


def test_a_missing_input_is_named():
    pair = found(dataset=dataclasses.replace(DATASET, provides=(POS,)))
    assert pair.reasons == ("input z (label per node) is not provided",)


def test_an_input_in_another_unit_or_dimension_is_refused():
    nanometres = dataclasses.replace(DATASET, provides=(Field("pos", NODE, Point(), "nm"), Z))
    assert "angstrom" in found(dataset=nanometres).reasons[0]
    flat = dataclasses.replace(DATASET, provides=(Field("pos", NODE, Point(2), "angstrom"), Z))
    assert "2D" in found(dataset=flat).reasons[0]


def test_no_common_target_is_a_reason():
    vectors_only = dataclasses.replace(DATASET, targets=(DIPOLE,))
    (reason,) = found(dataset=vectors_only).reasons
    assert "dipole" in reason
    assert "scalar per graph" in reason


def test_a_model_without_outputs_needs_no_target():
    assert found(model=dataclasses.replace(MODEL, outputs=())).runs


def test_the_shortest_chain_of_adapters_is_found():
    bonds = dataclasses.replace(DATASET, gives=Structure.BONDS, provides=(Z,))
    detour = [
        adapter("a", Structure.BONDS, Structure.MESH),
        adapter("b", Structure.MESH, Structure.ATOMS, (POS,)),
        adapter("c", Structure.BONDS, Structure.ATOMS, (POS,)),
    ]
    assert [item.spec.name for item in found(dataset=bonds, adapters=detour).adapters] == ["c"]
    assert [i.spec.name for i in found(dataset=bonds, adapters=detour[:2]).adapters] == ["a", "b"]
    assert "no adapter leads there" in found(dataset=bonds).reasons[0]


def test_what_an_adapter_needs_is_provided_by_the_dataset_or_an_adapter_before_it():
    bonds = dataclasses.replace(DATASET, gives=Structure.BONDS, provides=(Z,))
    needing = adapter("embed", Structure.BONDS, Structure.ATOMS, (POS,), (Z,))
    assert found(dataset=bonds, adapters=[needing]).runs
    coded = dataclasses.replace(bonds, provides=())
    first, *_ = found(dataset=coded, adapters=[needing]).reasons
    assert first.endswith("/embed: input z (label per node) is not provided")
    chain = [
        adapter("decode", Structure.BONDS, Structure.MESH, (Z,)),
        adapter("embed", Structure.MESH, Structure.ATOMS, (POS,), (Z,)),
    ]
    assert found(dataset=coded, adapters=chain).runs


def test_readers_of_files_never_serve_as_adapters_between_datasets_and_models():
    bonds = dataclasses.replace(DATASET, gives=Structure.BONDS)
    reader = adapter("read", Structure.FILE, Structure.ATOMS, (POS,))
    assert not found(dataset=bonds, adapters=[reader]).runs


def test_default_targets_are_those_the_model_can_give():
    assert select_targets(found(), ()) == (ENERGY,)
    assert select_targets(found(), ("energy",)) == (ENERGY,)
    with pytest.raises(ConfigError, match=r"data\.targets.*'dipole'.*it can learn energy"):
        select_targets(found(), ("dipole",))


def test_a_density_needs_no_target_and_takes_the_datasets_dimension():
    flat = dataclasses.replace(
        DATASET, provides=(Field("pos", NODE, Point(2), "1"),), targets=(), default_targets=()
    )
    anywhere = dataclasses.replace(
        MODEL, inputs=(Field("pos", NODE, Point(None)),), outputs=(), tasks=("density",)
    )
    pair = found(anywhere, flat)
    assert pair.runs
    assert pair.targets == ()
    assert pair.inputs[0].rep == Point(2)
    assert found(anywhere).inputs[0].rep == Point(3)


def test_a_model_of_three_dimensions_refuses_the_plane_in_words():
    flat = dataclasses.replace(DATASET, provides=(Field("pos", NODE, Point(2), "angstrom"), Z))
    (reason,) = found(dataset=flat).reasons
    assert "pos (point in 3D per node)" in reason
    assert "pos (point in 2D per node)" in reason


def test_a_model_of_any_number_of_channels_takes_the_datasets():
    charges = dataclasses.replace(
        DATASET, provides=(*DATASET.provides, Field("charges", NODE, Scalar(4)))
    )
    wanting = dataclasses.replace(
        MODEL, inputs=(*MODEL.inputs, Field("charges", NODE, Scalar(None)))
    )
    assert found(wanting, charges).inputs[-1].rep == Scalar(4)
    (reason,) = found(wanting).reasons
    assert "any number of scalars" in reason
