"""Representations know their width, and an output fits the targets it can stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertwiner.errors import DeclarationError
from intertwiner.fields import (
    ANY_NAME,
    GRAPH,
    NODE,
    RESERVED,
    Field,
    Gauge,
    Irreps,
    Label,
    Point,
    Scalar,
    Symmetry,
)

blocks = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 6), st.sampled_from("eo")), min_size=1, max_size=4
)


@given(blocks)
def test_width_of_irreps_is_the_sum_of_their_blocks(terms):
    irreps = Irreps("+".join(f"{count}x{order}{parity}" for count, order, parity in terms))
    assert irreps.width == sum(count * (2 * order + 1) for count, order, _ in terms)
    assert irreps.blocks == tuple((c, o, 1 if p == "e" else -1) for c, o, p in terms)


def test_multiplicity_one_may_be_left_out():
    assert Irreps("1o").blocks == ((1, 1, -1),)


@pytest.mark.parametrize("text", ["", "x", "3x1", "1q", "1o+", "-1x0e", "0e,1o"])
def test_unreadable_irreps_name_the_term(text):
    with pytest.raises(DeclarationError, match="irreps"):
        Irreps(text)


def test_gauge_order_zero_has_one_component_and_others_two():
    assert Gauge("3xr0+2xr1").width == 3 + 2 * 2
    with pytest.raises(DeclarationError, match="gauge"):
        Gauge("3xr")


def test_an_output_for_any_name_fits_every_target_of_its_site_and_kind():
    vectors = Field(ANY_NAME, GRAPH, Irreps("1o"))
    assert vectors.fits(Field("dipole", GRAPH, Irreps("1x1o"), "debye"))
    assert vectors.fits(Field("two", GRAPH, Irreps("2x1o")))
    assert not vectors.fits(Field("dipole", NODE, Irreps("1x1o")))
    assert not vectors.fits(Field("pseudo", GRAPH, Irreps("1x1e")))
    assert not vectors.fits(Field("energy", GRAPH, Scalar()))
    assert not vectors.fits(Field("class", GRAPH, Label(3)))


def test_invariant_irreps_and_scalars_are_the_same_kind():
    assert Field(ANY_NAME, GRAPH, Scalar()).fits(Field("a", GRAPH, Irreps("2x0e")))
    assert Field(ANY_NAME, GRAPH, Irreps("0e+1o")).fits(Field("a", GRAPH, Scalar()))


def test_a_named_output_fits_only_its_own_target():
    forces = Field("forces", NODE, Irreps("1o"))
    assert forces.fits(Field("forces", NODE, Irreps("1x1o"), "eV/angstrom"))
    assert not forces.fits(Field("velocities", NODE, Irreps("1x1o")))


def test_a_symmetry_outside_the_known_groups_is_refused():
    with pytest.raises(DeclarationError, match="O\\(3\\)"):
        Symmetry(space="O(3)")


def test_a_name_that_records_keep_for_themselves_is_refused_with_a_better_one():
    for name in ("size", "batch", "ptr", "num_nodes"):
        with pytest.raises(DeclarationError, match=f"'{name}'.*'molecule_{name}'"):
            Field(name, GRAPH, Scalar())


def test_every_method_of_a_record_is_among_the_names_kept():
    from torch_geometric.data import Data

    fields = {"x", "y", "z", "pos", "face", "edge_index", "edge_attr", "edge_weight", "name"}
    public = {name for name in dir(Data()) if not name.startswith("_")} - fields
    assert public <= RESERVED


def test_a_point_of_any_dimension_takes_every_other_and_has_no_width():
    assert Point(None).takes(Point(2))
    assert Point(2).takes(Point(2))
    assert not Point(3).takes(Point(2))
    assert not Point(None).takes(Scalar())
    with pytest.raises(DeclarationError, match="no width"):
        _ = Point(None).width


def test_any_number_of_scalars_takes_every_other_and_has_no_width():
    assert Scalar(None).takes(Scalar(4))
    assert Scalar(4).takes(Scalar(4))
    assert not Scalar(1).takes(Scalar(4))
    assert not Scalar(None).takes(Point(3))
    assert str(Scalar(None)) == "any number of scalars"
    with pytest.raises(DeclarationError, match="no width"):
        _ = Scalar(None).width
