"""What happens where the kernels cannot be compiled."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from intertwiner.compiled import forget
from intertwiner.kernels import KernelFallback
from intertwiner_equivariant_conv.kernels import reference
from intertwiner_equivariant_conv.kernels.compiled import product
from intertwiner_equivariant_conv.layers.paths import path_table


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERTWINER_DATA", str(tmp_path))
    return tmp_path / "kernels"


@pytest.fixture
def fresh() -> Iterator[None]:
    """No kernel was loaded yet, nor has one failed."""
    product.load_library.cache_clear()
    forget()
    yield
    product.load_library.cache_clear()
    forget()


def arguments() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, int]:
    ends = torch.tensor([0, 1, 2]), torch.tensor([0, 0, 1])
    paths = len(path_table(1, 1))
    return torch.randn(3, 4, 16), torch.randn(3, 4), torch.randn(3, paths * 16), *ends, 3


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
