"""The best kernel that can run serves; whatever is left out or fails is named."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import pytest
import torch

from intertwiner.errors import LookupFailed
from intertwiner.hookspecs import hookimpl
from intertwiner.kernels import KernelError, KernelFallback, dispatch, rank, serve
from intertwiner.registry import Registry
from intertwiner.specs import KernelSpec

PLAIN = KernelSpec(
    name="plain",
    summary="",
    op="square",
    target="toy_plugin.kernels:square",
    reference="toy_plugin.kernels:square",
    examples="toy_plugin.kernels:examples",
)
CPU = torch.device("cpu")


def registry_of(*specs: KernelSpec) -> Registry:
    module = ModuleType("declared")
    module.intertwiner_kernels = hookimpl(lambda: iter(specs), specname=None)
    module.intertwiner_kernels.__name__ = "intertwiner_kernels"
    return Registry.from_modules({"fast": module})


def variant(name: str, **changes) -> KernelSpec:
    return dataclasses.replace(PLAIN, name=name, **changes)


def served(specs, wanted="", dtype=torch.float32):
    return serve(registry_of(*specs), "square", CPU, dtype, wanted)


X = torch.tensor([2.0])


def test_the_highest_priority_serves():
    better = variant("better", target="toy_plugin.kernels:wrong", priority=1)
    assert served([PLAIN, better])(X).item() == pytest.approx(4.04)


def test_a_kernel_for_another_device_or_dtype_does_not_serve_and_needs_no_warning():
    for other in (
        variant("gpu", device="cuda", priority=1),
        variant("half", dtypes=("float16",), priority=1),
    ):
        assert served([PLAIN, other])(X).item() == 4.0


@pytest.mark.fault("F43")
def test_a_kernel_whose_requirement_is_absent_is_named_with_the_install_line():
    absent = variant("compiled", requires=("no_such_module",), priority=1)
    with pytest.warns(KernelFallback, match="fast/compiled.*pip install no_such_module"):
        assert served([PLAIN, absent])(X).item() == 4.0
    with pytest.warns(KernelFallback), pytest.raises(LookupFailed, match="needs no_such_module"):
        served([absent])


@pytest.mark.fault("F43")
def test_a_kernel_that_raises_fails_by_name_and_says_how_to_go_on():
    failing = variant("failing", target="toy_plugin.kernels:failing")
    with pytest.raises(
        KernelError, match="fast/failing.*RuntimeError: no such instruction.*reference"
    ):
        served([failing])(X)
    assert served([failing], "reference")(X).item() == 4.0


def test_the_setting_forces_the_reference_or_prefers_a_kernel_by_name():
    better = variant("better", target="toy_plugin.kernels:wrong", priority=1)
    assert served([PLAIN, better], "reference")(X).item() == 4.0
    assert served([PLAIN, better], "plain")(X).item() == 4.0
    with pytest.raises(LookupFailed, match="no kernel 'plian'; did you mean 'plain'"):
        served([PLAIN, better], "plian")


def test_an_unknown_operation_is_named():
    with pytest.raises(LookupFailed, match="did you mean 'square'"):
        rank(registry_of(PLAIN), "sqare", CPU, torch.float32)


def test_the_setting_is_read_at_every_call(monkeypatch):
    import intertwiner.kernels as kernels

    better = variant("better", target="toy_plugin.kernels:wrong", priority=1)
    monkeypatch.setattr(kernels, "load_registry", lambda: registry_of(PLAIN, better))
    kernels._dispatch.cache_clear()
    assert dispatch("square", CPU, torch.float32)(X).item() == pytest.approx(4.04)
    monkeypatch.setenv("INTERTWINER_KERNELS", "reference")
    assert dispatch("square", CPU, torch.float32)(X).item() == 4.0
    kernels._dispatch.cache_clear()


@pytest.mark.fault("F43")
def test_a_kernel_with_a_wrong_value_fails_verification_by_name(command, tmp_path):
    folder = tmp_path / "intertwiner_lying-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.3\nName: intertwiner-lying\nVersion: 1\n")
    (folder / "entry_points.txt").write_text("[intertwiner]\nlying = lying_plugin\n")
    (tmp_path / "lying_plugin.py").write_text(
        "import dataclasses\n"
        "from intertwiner.hookspecs import hookimpl\n"
        "from toy_plugin._plugin import intertwiner_kernels as honest\n"
        "@hookimpl\n"
        "def intertwiner_kernels():\n"
        "    kernel, home = next(iter(honest())), 'toy_plugin.kernels'\n"
        "    yield dataclasses.replace(kernel, name='liar', target=f'{home}:wrong')\n"
        "    yield dataclasses.replace(kernel, name='thrower', target=f'{home}:failing')\n"
    )
    done = command("kernels", "verify", also=tmp_path)
    assert done.returncode == 1
    assert "error: kernel lying/liar: WRONG: " in done.stderr
    assert "error: kernel lying/thrower: raised RuntimeError: no such instruction" in done.stderr
    assert "toy/square-plain" in done.stdout
