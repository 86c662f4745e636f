"""Compiling and caching: the key, two processes at once, and what happens without a compiler."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from intertwiner.kernels import KernelFallback
from intertwiner_equivariant_conv.kernels import reference
from intertwiner_equivariant_conv.kernels.compiled import build, loading, product
from intertwiner_equivariant_conv.layers.paths import path_table

UNIT = {
    "unit": """#include <cstdint>
extern "C" void twice(double* x, int64_t n) { for (int64_t i = 0; i < n; i++) x[i] *= 2; }"""
}
CHILD = f"""
from intertwiner_equivariant_conv.kernels.compiled.build import build
print(build("race", {UNIT!r}))
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERTWINER_DATA", str(tmp_path))
    return tmp_path / "kernels"


@pytest.fixture
def fresh() -> Iterator[None]:
    """No kernel was loaded yet, nor has one failed."""
    product.load_library.cache_clear()
    loading._failed.clear()
    yield
    product.load_library.cache_clear()
    loading._failed.clear()


def arguments() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, int]:
    ends = torch.tensor([0, 1, 2]), torch.tensor([0, 0, 1])
    paths = len(path_table(1, 1))
    return torch.randn(3, 4, 16), torch.randn(3, 4), torch.randn(3, paths * 16), *ends, 3


def test_what_is_compiled_runs_and_is_compiled_once(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        path = build.build("twice", UNIT)
        assert build.build("twice", UNIT) == path
    assert [record.message for record in caplog.records if "compiled" in record.message] != []
    assert len(caplog.records) == 2
    numbers = torch.arange(3.0, dtype=torch.float64)
    loading.call(loading.load(path), "twice", numbers, 3)
    assert numbers.tolist() == [0.0, 2.0, 4.0]
    assert {item.suffix for item in cache.iterdir()} <= {".so", ".lock"}


def test_key_follows_source_compiler_and_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = build.Compiler("c++", "1.0")
    keys = {build._key(compiler, UNIT), build._key(compiler, {"unit": "other"})}
    keys.add(build._key(compiler, {"other": UNIT["unit"]}))
    keys.add(build._key(build.Compiler("c++", "2.0"), UNIT))
    monkeypatch.setattr(build, "processor_flags", lambda: ("sse2",))
    keys.add(build._key(compiler, UNIT))
    monkeypatch.setattr(build, "FLAGS", ("-O1",))
    keys.add(build._key(compiler, UNIT))
    assert len(keys) == 6


def test_flags_keep_the_process_from_flushing_to_zero() -> None:
    assert not {"-ffast-math", "-Ofast", "-funsafe-math-optimizations"} & set(build.FLAGS)


def test_two_processes_at_once_compile_one_file(cache: Path) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = {child.communicate(timeout=120)[0].strip() for child in children}
    assert [child.returncode for child in children] == [0, 0]
    (path,) = said
    assert list(cache.glob("*.so")) == [Path(path)]


def test_threads_at_once_load_one_library(cache: Path) -> None:
    found = []
    workers = [
        threading.Thread(target=lambda: found.append(loading.try_load("threads", lambda: UNIT)))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(set(map(id, found))) == 1
    assert found[0] is not None


@pytest.mark.usefixtures("cache", "fresh")
def test_without_a_compiler_one_warning_says_so_and_values_are_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CXX", "/nonexistent/c++")
    case = arguments()
    with pytest.warns(KernelFallback, match="no C\\+\\+ compiler found.*set CXX") as caught:
        first = product.tensor_product_scatter(*case)
    assert len(caught) == 1
    second = product.tensor_product_scatter(*case)  # a second warning would be an error
    expected = reference.tensor_product_scatter(*case)
    for found in (first, second):
        torch.testing.assert_close(found, expected)


@pytest.mark.usefixtures("cache", "fresh")
def test_a_failing_compiler_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "no space left" >&2; exit 3\n'
    )
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    case = arguments()
    with pytest.warns(KernelFallback, match="status 3:\nno space left"):
        found = product.tensor_product_scatter(*case)
    torch.testing.assert_close(found, reference.tensor_product_scatter(*case))


@pytest.mark.usefixtures("fresh")
def test_a_cache_that_cannot_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("INTERTWINER_DATA", str(blocked))
    case = arguments()
    with pytest.warns(KernelFallback, match="INTERTWINER_DATA"):
        found = product.tensor_product_scatter(*case)
    torch.testing.assert_close(found, reference.tensor_product_scatter(*case))


def test_importing_compiles_and_loads_nothing(cache: Path) -> None:
    code = (
        "import intertwiner_equivariant_conv.kernels.compiled.product, "
        "intertwiner_equivariant_conv._plugin"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert not cache.exists()


def test_pointers_of_strided_tensors_are_refused(cache: Path) -> None:
    found = loading.load(build.build("twice", UNIT))
    with pytest.raises(ValueError, match="contiguous"):
        loading.call(found, "twice", torch.zeros(4, 4)[:, 0], 4)
