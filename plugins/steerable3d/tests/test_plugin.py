"""The declarations: free of torch, complete, and each runs on what it says it runs on."""

from __future__ import annotations

import subprocess
import sys

import pytest

from intertwiner.matching import match
from intertwiner.registry import load_registry


@pytest.fixture(scope="module")
def registry():
    return load_registry()


def test_declarations_and_settings_import_no_torch():
    modules = ("_plugin", "config", "data.config", "voxels.config", "recipes")
    lines = "; ".join(f"import intertwiner_steerable3d.{module}" for module in modules)
    code = f"import sys; {lines}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("dataset", ["tetris", "propensity", "cath", "atom3d-residues"])
@pytest.mark.parametrize("model", ["network", "cath", "cnn", "propensity-cnn"])
def test_every_network_runs_on_every_dataset_of_volumes(registry, model, dataset):
    pair = match(
        registry.model(f"steerable3d/{model}"),
        registry.dataset(f"steerable3d/{dataset}"),
        registry.adapters,
    )
    assert pair.runs, pair.reasons
    assert pair.inputs[0].rep.channels in (1, 4)


def test_the_control_needs_counts_and_says_so(registry):
    pair = match(registry.model("steerable3d/counts"), registry.dataset("steerable3d/tetris"), ())
    assert "counts" in pair.reasons[0]


def test_atoms_and_complexes_reach_networks_through_adapters(registry):
    found = {entry.spec.name: entry.spec for entry in registry.adapters}
    assert found["atoms-to-voxels"].adds[0].rep.channels == 6
    assert found["complex-to-voxels"].adds[0].rep.channels == 10
