"""Declarations and settings import no torch, so that listing everything stays fast."""

from __future__ import annotations

import subprocess
import sys

from intertwiner.specs import load_target
from intertwiner_enflow import _plugin

LIGHT = ("_plugin", "config", "datasets.config", "datasets.specs", "recipes.specs")


def test_declarations_and_settings_are_free_of_torch() -> None:
    imports = "; ".join(f"import intertwiner_enflow.{name}" for name in LIGHT)
    code = f"import sys; {imports}; print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_every_import_string_of_the_records_leads_somewhere() -> None:
    specs = [
        *_plugin.intertwiner_models(),
        *_plugin.intertwiner_datasets(),
        *_plugin.intertwiner_kernels(),
        *_plugin.intertwiner_recipes(),
    ]
    assert len(specs) > 15
    for spec in specs:
        for name in spec._imports():
            assert callable(load_target(getattr(spec, name)))
