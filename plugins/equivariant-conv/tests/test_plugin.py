"""The plugin's face: no torch on import, and every name leads somewhere."""

from __future__ import annotations

import subprocess
import sys

import pytest

import intertwiner_equivariant_conv as package
from intertwiner.config import build, to_plain
from intertwiner.specs import load_target
from intertwiner_equivariant_conv import _plugin
from intertwiner_equivariant_conv.config import DepthwiseConfig

LIGHT = (
    "",
    "._plugin",
    ".config",
    ".ablation",
    ".width",
    ".errors",
    ".layers.paths",
    ".paper.presets",
)


def test_importing_the_light_modules_imports_no_torch() -> None:
    imports = "; ".join(f"import intertwiner_equivariant_conv{name}" for name in LIGHT)
    code = f"import sys; {imports}; print('torch' in sys.modules, 'e3nn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_every_public_name_exists() -> None:
    assert sorted(package.__all__) == sorted({*package._HOME, "__version__"})
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Missing'"):
        package.Missing  # noqa: B018


def test_every_import_string_of_the_records_leads_somewhere() -> None:
    models, kernels = list(_plugin.intertwiner_models()), list(_plugin.intertwiner_kernels())
    recipes = list(_plugin.intertwiner_recipes())
    assert models
    assert kernels
    assert recipes
    for spec in (*models, *kernels, *recipes):
        for name in spec._imports():
            assert callable(load_target(getattr(spec, name)))


def test_settings_survive_the_round_trip() -> None:
    for model in _plugin.intertwiner_models():
        kind = load_target(model.config)
        config = build(kind, model.tiny)
        assert build(kind, to_plain(config)) == config


@pytest.mark.parametrize("values", [{"lmax": 4}, {"channels": 0}, {"radial_hidden": []}])
def test_settings_out_of_range_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(Exception, match=next(iter(values))):
        build(DepthwiseConfig, values)
