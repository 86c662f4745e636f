"""A kernel is held against its reference in value, first and second derivative."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conformance_toys.honest import intertwiner_kernels

from intertwiner.conformance.checks.kernels import compare_with_reference, kernel, obstacle
from intertwiner.conformance.findings import NotCovered, Refuted

(GOOD,) = intertwiner_kernels()


def variant(name: str):
    return replace(GOOD, target=f"conformance_toys.kernels:{name}")


def test_a_sound_kernel_agrees_in_all_orders_and_dtypes():
    deviations = compare_with_reference(GOOD)
    assert len(deviations) == 3 * 2 * 2
    assert all(deviation.holds for deviation in deviations)
    assert all(deviation.size > 0 for deviation in deviations)
    assert kernel(GOOD) == []


WRONG = [("wrong_value", 0), ("wrong_first", 1), ("wrong_second", 2)]
QUANTITIES = ("value", "first derivative", "second derivative")


@pytest.mark.parametrize(("name", "order"), WRONG)
def test_a_wrong_order_of_derivative_is_named_with_its_numbers(name, order):
    wrong = [found for found in compare_with_reference(variant(name)) if not found.holds]
    assert {found.quantity for found in wrong} >= {QUANTITIES[order]}
    assert not {found.quantity for found in wrong} & set(QUANTITIES[:order])
    assert {found.dtype for found in wrong} == {"float32", "float64"}
    finding = kernel(variant(name))[0]
    assert finding.field == QUANTITIES[order]
    assert finding.error > finding.allowed


def test_derivatives_beyond_the_declared_ones_are_not_asked_for():
    assert kernel(replace(variant("wrong_second"), differentiable=1)) == []


def test_a_kernel_that_raises_is_not_passed_over():
    with pytest.raises(RuntimeError, match="unsupported warp size"):
        compare_with_reference(variant("raises"))


def test_a_kernel_of_the_wrong_shape_is_refuted():
    with pytest.raises(Refuted, match="shapes"):
        compare_with_reference(variant("wrong_shape"))


def test_a_kernel_without_examples_is_refuted():
    with pytest.raises(Refuted, match="gave no example"):
        kernel(replace(GOOD, examples="conformance_toys.kernels:no_examples"))


def test_a_kernel_that_cuts_its_gradient_is_found():
    assert kernel(variant("blind"))


def test_a_missing_requirement_is_named_and_the_kernel_skipped():
    spec = replace(GOOD, requires=("triton_of_tomorrow",))
    assert obstacle(spec) == "needs triton_of_tomorrow; run: pip install triton_of_tomorrow"
    with pytest.raises(NotCovered, match="triton_of_tomorrow"):
        kernel(spec)
