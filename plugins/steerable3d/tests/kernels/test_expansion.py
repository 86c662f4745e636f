"""The expansion: all forms agree, with derivatives of first and second order."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from intertwiner.compiled import NoCompiler, find_compiler, forget
from intertwiner.kernels import KernelFallback
from intertwiner_steerable3d.bases.settings import PAPER, BasisSettings
from intertwiner_steerable3d.kernels import gemm, reference
from intertwiner_steerable3d.kernels.compiled import expansion as compiled
from intertwiner_steerable3d.kernels.plan import Plan, make_plan

Form = Callable[[Tensor, int], Tensor]
FORMS = {"gemm": gemm.expand_kernel, "compiled": compiled.expand_kernel}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    if request.param == "compiled":
        try:
            find_compiler()
        except NoCompiler as error:
            pytest.skip(str(error))
    return FORMS[request.param]


def weights(plan: Plan, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(plan.weights, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_all_pairs_up_to_order_four_equal_the_reference(form: Form, size: int) -> None:
    plan = make_plan((2, 1, 3, 1, 1), (1, 2, 5, 1, 1), 3, size, PAPER)
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        w = weights(plan, dtype)
        expected = reference.expand(w, plan.handle)
        torch.testing.assert_close(form(w, plan.handle), expected, rtol=0, atol=tolerance)


def test_derivatives_are_those_of_finite_differences(form: Form) -> None:
    plan = make_plan((2, 1), (1, 1), 1, 3, PAPER)
    w = weights(plan).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: form(v, plan.handle).sin(), (w,))
    assert torch.autograd.gradgradcheck(lambda v: form(v, plan.handle).sin(), (w,))


def test_gradients_equal_those_of_the_reference(form: Form) -> None:
    plan = make_plan((5, 2, 1), (3, 1, 2), 3, 5, BasisSettings())
    slope = torch.randn(plan.shape, dtype=torch.float64)
    found = []
    for expand in (form, reference.expand):
        w = weights(plan).requires_grad_()
        expand(w, plan.handle).backward(slope)
        found.append(w.grad)
    torch.testing.assert_close(*found, rtol=0, atol=1e-12)


def test_registered_operations_pass_the_checks_of_torch() -> None:
    plan = make_plan((2, 1), (1, 1), 1, 3, PAPER)
    for name in ("gemm", "compiled"):
        operation = getattr(torch.ops.intertwiner_steerable3d, f"{name}_expand").default
        w = weights(plan).requires_grad_()
        torch.library.opcheck(
            operation, (w, plan.handle), test_utils=("test_schema", "test_faketensor")
        )


def test_pairs_without_elements_stay_zero(form: Form) -> None:
    plan = make_plan((1,), (1, 0, 1), 0, 3, BasisSettings())
    kernel = form(weights(plan), plan.handle)
    assert kernel.shape == (6, 1, 3, 3, 3)
    assert kernel[1:].abs().max() == 0


def test_plans_are_shared_and_survive_pickling() -> None:
    plan = make_plan((1, 1), (2,), 0, 3, PAPER)
    assert make_plan((1, 1), (2,), 0, 3, PAPER) is plan
    assert pickle.loads(pickle.dumps(plan)) is plan


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CXX", "no-such-compiler")
    forget()
    yield
    monkeypatch.undo()
    forget()


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_plain_torch_serves_and_says_so() -> None:
    plan = make_plan((2, 1), (1, 1), 1, 3, PAPER)
    w = weights(plan)
    with pytest.warns(KernelFallback, match="plain torch serves"):
        found = compiled.expand_kernel(w, plan.handle)
    torch.testing.assert_close(found, reference.expand(w, plan.handle))
