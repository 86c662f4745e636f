"""The plugin's face: no torch on import, and every name leads somewhere."""

from __future__ import annotations

import subprocess
import sys

import pytest

import intertwiner_atomic_conv as package
from intertwiner.config import build, to_plain
from intertwiner.specs import load_target
from intertwiner_atomic_conv import _plugin
from intertwiner_atomic_conv.config import CoreConfig

LIGHT = ("", "._plugin", ".config", ".presets", ".errors", ".fields", ".recovery", ".affinity")


def test_importing_the_light_modules_imports_no_torch() -> None:
    imports = "; ".join(f"import intertwiner_atomic_conv{name}" for name in LIGHT)
    code = f"import sys; {imports}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


@pytest.mark.parametrize("absent", [("scipy", "rdkit", "sklearn", "gemmi", "matplotlib")])
def test_training_and_scoring_need_no_optional_package(absent: tuple[str, ...]) -> None:
    code = f"""
import sys
for name in {absent!r}:
    sys.modules[name] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in {absent!r} else find(name, *rest)
import numpy as np
from intertwiner_atomic_conv import score
from intertwiner_atomic_conv.config import CoreConfig
from intertwiner_atomic_conv.datasets.synthetic_pockets import synthetic
from intertwiner_atomic_conv.evaluation.models import SCHEMA
from intertwiner_atomic_conv.model import build_network
from intertwiner.data.collate import collate
records = list(synthetic(20, 0))[:2]
loss = build_network(CoreConfig(), SCHEMA)(collate(records))["pK"].square().sum()
loss.backward()
protein = np.array([6, 7, 8]), np.array([[4.0, 0, 0], [0, 4.0, 0], [0, 0, 4.0]])
assert np.isfinite(score(protein, (np.array([6]), np.zeros((1, 3)))).pK)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_public_name_exists() -> None:
    assert sorted(package.__all__) == sorted({*package._HOME, "__version__"})
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Missing'"):
        package.Missing  # noqa: B018


def test_every_import_string_of_the_records_leads_somewhere() -> None:
    hooks = ("models", "datasets", "kernels", "recipes")
    for hook in hooks:
        specs = list(getattr(_plugin, f"intertwiner_{hook}")())
        assert specs
        for spec in specs:
            for name in spec._imports():
                assert load_target(getattr(spec, name)) is not None


def test_settings_survive_the_round_trip() -> None:
    for model in _plugin.intertwiner_models():
        kind = load_target(model.config)
        config = build(kind, model.tiny)
        assert build(kind, to_plain(config)) == config


@pytest.mark.parametrize(
    "values",
    [
        {"neighbors": 0},
        {"reach": 0.0},
        {"exponents": [-1.0]},
        {"cutoffs": [0.0]},
        {"types": []},
        {"dropout": [1.0]},
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(Exception, match=next(iter(values))):
        build(CoreConfig, values)
