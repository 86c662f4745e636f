"""The plugin's face: no torch on import, every name leads somewhere, the compiler may be absent."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import intertwiner_gauge_mesh as package
from intertwiner.compiled import CompileError, find_compiler
from intertwiner.config import build, to_plain
from intertwiner.specs import load_target
from intertwiner_gauge_mesh import _plugin

LIGHT = ("", "._plugin", ".config", ".types", ".errors")


def hooks():
    return [
        spec
        for name in dir(_plugin)
        if name.startswith("intertwiner_")
        for spec in getattr(_plugin, name)()
    ]


def test_importing_the_light_modules_imports_no_torch():
    imports = "; ".join(f"import intertwiner_gauge_mesh{name}" for name in LIGHT)
    code = f"import sys; {imports}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_public_name_exists():
    assert sorted(package.__all__) == sorted({*package._HOME, "__version__"})
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Missing'"):
        package.Missing  # noqa: B018


def test_every_import_string_of_the_records_leads_somewhere():
    specs = hooks()
    assert specs
    for spec in specs:
        if getattr(spec, "device", "") == "cuda":
            continue
        for name in spec._imports():
            assert callable(load_target(getattr(spec, name)))


def test_settings_survive_the_round_trip():
    for model in _plugin.intertwiner_models():
        kind = load_target(model.config)
        config = build(kind, model.tiny)
        assert build(kind, to_plain(config)) == config


def test_a_missing_compiler_is_named(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(CompileError, match="looked for no-such-compiler"):
        find_compiler()


def test_without_a_compiler_plain_torch_serves_and_says_so_once():
    code = """
import torch, warnings
from intertwiner_gauge_mesh.kernels import reference
from intertwiner_gauge_mesh.kernels.compiled.operation import gauge_aggregate
from intertwiner_gauge_mesh.kernels.random_graph import random_arguments
given = random_arguments("1x0+1x1", "1x0", 1, torch.float64, torch.device("cpu"),
                         torch.Generator().manual_seed(0))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    out = [gauge_aggregate(*given) for _ in range(2)][1]
same = torch.allclose(out, reference.gauge_aggregate(*given))
print(len(caught), caught[0].category.__name__, same)
"""
    environment = {**os.environ, "CXX": "no-such-compiler"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.split() == ["1", "KernelFallback", "True"]
